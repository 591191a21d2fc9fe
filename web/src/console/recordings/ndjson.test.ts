import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recordOf } from '../log/record';
import { entryFrom, LineError, linesIn } from './ndjson';
import { entry, everyProperty } from './testing';

const bytes = (text: string) => new TextEncoder().encode(text);
const line = (text: string | Uint8Array) => ({
  number: 1,
  bytes: typeof text === 'string' ? bytes(text) : text,
  tooLong: false,
});

async function* pieces(...of: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* of;
}

async function lines(of: AsyncIterable<Uint8Array>, limit?: number): Promise<[number, string | undefined][]> {
  const found: [number, string | undefined][] = [];
  for await (const { number, bytes: raw, tooLong } of linesIn(of, limit)) {
    found.push([number, tooLong ? undefined : new TextDecoder().decode(raw)]);
  }
  return found;
}

describe('lines', () => {
  it('are numbered, and empty ones are skipped', async () => {
    expect(await lines(pieces(bytes('a\n\n \r\nb'), bytes('c\nd')))).toEqual([
      [1, 'a'],
      [4, 'bc'],
      [5, 'd'],
    ]);
    expect(await lines(pieces())).toEqual([]);
  });

  it('are the same however the file is split', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: fc.constantFrom('a', '\n', 'é') })), async (texts) => {
        const whole = texts.join('');
        expect(await lines(pieces(...texts.map(bytes)))).toEqual(await lines(pieces(bytes(whole))));
      }),
    );
  });

  it('have a maximum length', async () => {
    const file = pieces(bytes('aaaa'), bytes('aaaa'), bytes('\nb'), bytes('\n'));
    expect(await lines(file, 6)).toEqual([
      [1, undefined],
      [2, 'b'],
    ]);
  });
});

describe('a line', () => {
  it('gives back the message that was written', () => {
    for (const one of [
      entry('é', { qos: 2, retain: true, dup: true, properties: everyProperty }),
      entry(
        Uint8Array.of(0xff, 0),
        { properties: { correlationData: bytes('c'), subscriptionIdentifier: 1 } },
        'sent',
      ),
      entry('\ufeff', {}, 'not sent'),
    ]) {
      const back = entryFrom(line(JSON.stringify(recordOf(one))));
      expect(recordOf(back)).toEqual(recordOf(one));
      expect(back.message.properties.subscriptionIdentifier).toEqual(
        one.message.properties.subscriptionIdentifier,
      );
      expect(back.replayed).toBe(true);
    }
  });

  const good = recordOf(entry('x'));
  it.each<[unknown, string]>([
    [{ direction: 'up' }, 'direction: is not one of received, sent, not sent'],
    [{ time: 'noon' }, 'time: is not a time such as 2026-01-02T03:04:05.678Z'],
    [{ time: 5 }, 'time: is not a string'],
    [{ topic: '' }, 'topic: must not be empty'],
    [{ topic: 'a/+' }, 'topic: must not contain the wildcards + and #: "a/+"'],
    [{ topic: 'é'.repeat(40_000) }, 'topic: has more than 65,535 bytes'],
    [{ payload: null }, 'payload: is not a string'],
    [{ payload: '\ud800' }, 'payload: contains half a character (a lone surrogate)'],
    [{ payload: '?', payloadEncoding: 'base64' }, 'payload: is not base64'],
    [{ payloadEncoding: 'hex' }, 'payloadEncoding: is neither utf-8 nor base64'],
    [{ qos: 3 }, 'qos: is not a whole number from 0 to 2'],
    [{ retain: 1 }, 'retain: is neither true nor false'],
    [{ dup: null }, 'dup: is neither true nor false'],
    [{ properties: [] }, 'properties: is not an object'],
    [{ properties: { userProperties: [['a']] } }, 'userProperties: contains something that is not a pair'],
    [{ properties: { userProperties: {} } }, 'userProperties: is not a list'],
    [
      { properties: { subscriptionIdentifier: [0] } },
      'subscriptionIdentifier: is not a whole number from 1 to 268,435,455',
    ],
    [{ properties: { subscriptionIdentifier: [] } }, 'subscriptionIdentifier: is an empty list'],
    [{ properties: { correlationData: 'x' } }, 'correlationDataEncoding: is neither utf-8 nor base64'],
    [{ properties: { contentType: 1 } }, 'contentType: is not a string'],
  ])('with %j is refused', (change, message) => {
    const text = JSON.stringify({ ...good, ...(change as object) });
    expect(() => entryFrom(line(text))).toThrow(new LineError(() => message));
  });

  it.each<[string | Uint8Array, string]>([
    ['{', 'not JSON'],
    ['[]', 'not a JSON object'],
    ['null', 'not a JSON object'],
    [Uint8Array.of(0x7b, 0xff), 'not UTF-8'],
    ['{"__proto__":{"direction":"received"}}', 'direction: is not one of received, sent, not sent'],
  ])('that is %s is refused', (text, message) => {
    expect(() => entryFrom(line(text))).toThrow(new LineError(() => message));
  });

  it('may start with a byte order mark, and contain unknown fields', () => {
    const text = `\ufeff{"__proto__":{"x":1},"more":1,${JSON.stringify(good).slice(1)}`;
    expect(recordOf(entryFrom(line(text)))).toEqual(good);
    expect('x' in {}).toBe(false);
  });

  it('gives a message or a LineError, whatever it is', () => {
    const field = fc.constantFrom(...Object.keys(good), '__proto__');
    fc.assert(
      fc.property(field, fc.jsonValue(), (name, value) => {
        try {
          entryFrom(
            line(`{${JSON.stringify(good).slice(1, -1)},${JSON.stringify(name)}:${JSON.stringify(value)}}`),
          );
        } catch (error) {
          expect(error).toBeInstanceOf(LineError);
        }
      }),
    );
  });
});
