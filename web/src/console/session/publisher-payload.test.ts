import { describe, expect, it, vi } from 'vitest';
import { emptyMessage, noProperties, payloadProblem } from './message';
import { made, settled } from './testing-publisher';

describe('formats', () => {
  it.each([
    ['hex', 'de AD\nbe ef', [0xde, 0xad, 0xbe, 0xef]],
    ['base64', '3q2+7w==', [0xde, 0xad, 0xbe, 0xef]],
  ] as const)('%s is encoded to bytes', (format, payload, bytes) => {
    const { publisher, payloads } = made();
    publisher.edit({ format, payload });
    publisher.publish();
    expect(payloads()).toEqual([Uint8Array.from(bytes)]);
  });

  it.each([
    ['hex', 'ab', /^Each byte needs two digits/],
    ['base64', '%', /is not a Base64 digit$/],
    ['json', '{"a":}', /^Line 1, column 6: expected a value/],
    ['cbor', '{"a":}', /^Line 1, column 6: expected a value/],
  ] as const)(
    'a payload that is not %s is not sent, and keeps its number',
    async (format, payload, words) => {
      const { publisher, spy } = made();
      publisher.edit({ format, payload: `${payload}{{n}}`, topic: 'a' });
      expect(payloadProblem(publisher.draft.value)).toMatch(/^is not /);
      publisher.publish();
      await settled(publisher);
      expect(publisher.fieldErrors.value.payload).toMatch(words);
      expect(publisher.next.value).toBe(0);
      expect(spy).not.toHaveBeenCalled();
    },
  );

  it.each(['application/json', 'application/vnd.x+json; charset=utf-8'])(
    '%s is validated too',
    (contentType) => {
      const properties = { ...noProperties, contentType };
      expect(payloadProblem({ ...emptyMessage, payload: '{', properties })).toMatch(/^is not JSON/);
      expect(payloadProblem({ ...emptyMessage, payload: '{"n": {{n}}}', properties })).toBeUndefined();
    },
  );

  it('deep JSON is accepted', () => {
    const payload = '['.repeat(100_000) + ']'.repeat(100_000);
    expect(payloadProblem({ ...emptyMessage, payload, format: 'json' })).toBeUndefined();
  });
});

describe('files', () => {
  it('are the payload, with their content type, until removed', async () => {
    const { publisher, payloads } = made();
    await publisher.attach(new File([Uint8Array.of(1, 2)], 'a.png', { type: 'image/png' }));
    expect(publisher.draft.value.properties.contentType).toBe('image/png');
    publisher.publish();
    publisher.edit({ file: undefined, payload: 'typed' });
    publisher.publish();
    expect(payloads()).toEqual([Uint8Array.of(1, 2), 'typed']);
  });

  it('are refused unread if too large for the broker', async () => {
    const { publisher } = made();
    const file = new File([new Uint8Array(2049)], 'big.bin');
    const read = vi.spyOn(file, 'arrayBuffer');
    await publisher.attach(file);
    expect(publisher.fieldErrors.value.payload).toBe(
      '“big.bin” has 2 KiB; this broker takes packets of at most 2 KiB',
    );
    expect(read).not.toHaveBeenCalled();
  });
});

it('the typed payload comes back when a file is removed', async () => {
  const { publisher, payloads } = made();
  publisher.edit({ payload: 'typed' });
  await publisher.attach(new File(['from a file'], 'a.txt'));
  publisher.publish();
  publisher.edit({ file: undefined });
  publisher.publish();
  expect(payloads()).toEqual([new TextEncoder().encode('from a file'), 'typed']);
});

it('a file that was read too late is not put in place of what was chosen meanwhile', async () => {
  const { publisher } = made();
  const slow = new File(['slow'], 'slow.txt');
  let read = () => {};
  vi.spyOn(slow, 'arrayBuffer').mockImplementation(
    () =>
      new Promise((resolve) => {
        read = () => resolve(new ArrayBuffer(4));
      }),
  );
  const first = publisher.attach(slow);
  await publisher.attach(new File(['quick'], 'quick.txt'));
  read();
  await first;
  expect(publisher.draft.value.file?.name).toBe('quick.txt');

  const second = publisher.attach(slow);
  publisher.edit(emptyMessage);
  read();
  await second;
  expect(publisher.draft.value.file).toBeUndefined();
});

it('a content type that a file gave goes with it, one that was typed stays', async () => {
  const { publisher } = made();
  const type = () => publisher.draft.value.properties.contentType;
  const attach = (name: string, type: string) => publisher.attach(new File(['x'], name, { type }));
  await attach('a.png', 'image/png');
  await attach('b.json', 'application/json');
  expect(type()).toBe('application/json');
  await attach('c', '');
  expect(type()).toBe('');
  await attach('a.png', 'image/png');
  publisher.edit({ file: undefined });
  expect(type()).toBe('');

  publisher.edit({ properties: { ...noProperties, contentType: 'text/x-mine' } });
  await attach('a.png', 'image/png');
  publisher.edit({ file: undefined });
  expect(type()).toBe('text/x-mine');
});
