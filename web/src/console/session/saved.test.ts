import fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { browser } from '../core/testing';
import { emptyMessage } from './message';
import { createSaved, exportMessages, ImportError, importMessages, messageFrom, savedFrom } from './saved';

let kept: Record<string, string>;
let full = false;

beforeEach(() => {
  kept = {};
  full = false;
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => kept[key] ?? null,
    setItem(key: string, value: string) {
      if (full) throw new DOMException('full', 'QuotaExceededError');
      kept[key] = value;
    },
  });
});

const message = { ...emptyMessage, topic: 'a/b', payload: '{{n}}', qos: 1 as const, retain: true };

describe('saved messages', () => {
  it('survive to the next visit, one per name', () => {
    const saved = createSaved();
    saved.save('b', message);
    saved.save('a', { ...message, topic: 'x' });
    saved.save('b', { ...message, topic: 'y' });
    const again = createSaved().entries.value;
    expect(again.map(({ name, message: { topic } }) => [name, topic])).toEqual([
      ['a', 'x'],
      ['b', 'y'],
    ]);
    expect(again[0]?.message).toEqual({ ...message, topic: 'x' });
  });

  it('can be deleted', () => {
    const saved = createSaved();
    saved.save('a', message);
    saved.remove('a');
    expect(createSaved().entries.value).toEqual([]);
  });

  it('report that the browser can’t store them', () => {
    full = true;
    const saved = createSaved();
    expect(saved.save('a', message)).toBe(false);
    expect(saved.problem.value).toMatch(/no room/);
    expect(saved.entries.value).toEqual([]);
  });
});

it('are shared by two tabs, and the last save of a name wins', () => {
  const { open } = browser();
  const [one, other] = [createSaved(open()), createSaved(open())];
  one.save('b', message);
  other.save('a', message);
  other.save('b', { ...message, topic: 'x' });
  one.save('c', message);
  other.remove('c');
  for (const { entries } of [one, other]) {
    expect(entries.value.map(({ name, message: { topic } }) => [name, topic])).toEqual([
      ['a', 'a/b'],
      ['b', 'x'],
    ]);
  }
});

it('of an earlier version are readable', () => {
  const { file: _, ...stored } = message;
  kept = { 'mqttwasm.messages': JSON.stringify([{ name: 'mine', message: { ...stored, format: 'cbor' } }]) };
  const saved = createSaved();
  expect(saved.entries.value).toEqual([
    { collection: '', name: 'mine', message: { ...message, format: 'cbor' } },
  ]);
  saved.save('other', message);
  expect(createSaved().entries.value.map(({ name }) => name)).toEqual(['mine', 'other']);
});

it('takes only what fits from foreign JSON', () => {
  const foreign: unknown = JSON.parse(
    '{"topic":"t","payload":5,"qos":9,"format":"__proto__","retain":"yes","__proto__":{"file":1},"more":1,' +
      '"properties":{"contentType":"c","userProperties":[["a","b"],["c"],5,["d",null]],"__proto__":{"x":1}}}',
  );
  expect(messageFrom(foreign)).toEqual({
    ...emptyMessage,
    topic: 't',
    properties: { ...emptyMessage.properties, contentType: 'c', userProperties: [['a', 'b']] },
  });
});

it('reads any JSON into messages of the right shape', () => {
  const named = fc.record({ name: fc.string(), message: fc.jsonValue() });
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), named), (value) => {
      const entry = savedFrom(value);
      if (entry) expect(Object.keys(entry)).toEqual(['collection', 'name', 'message']);
      expect(Object.keys(messageFrom(value))).toEqual(Object.keys(emptyMessage));
    }),
  );
});

describe('collections', () => {
  it('have separate names', () => {
    const saved = createSaved();
    saved.save('on', message, 'Lamp');
    saved.save('on', { ...message, topic: 'x' }, 'Heater');
    saved.save('on', { ...message, topic: 'y' });
    saved.remove('on', 'Heater');
    expect(createSaved().entries.value.map(({ collection, name }) => [collection, name])).toEqual([
      ['Lamp', 'on'],
      ['', 'on'],
    ]);
  });

  it('are exported to another browser in a file, and replace nothing there', () => {
    const saved = createSaved();
    saved.save('on', message, 'Lamp');
    saved.save(
      'off',
      { ...message, properties: { ...message.properties, userProperties: [['a', 'b']] } },
      'Lamp',
    );
    const file = exportMessages(saved.entries.value);
    expect(importMessages(file)).toEqual(saved.entries.value);
    kept = {};
    const other = createSaved();
    other.save('on', { ...message, topic: 'mine' }, 'Lamp');
    expect(other.add(file)).toBe(2);
    expect(other.entries.value.map(({ name, message: { topic } }) => [name, topic])).toEqual([
      ['off', 'a/b'],
      ['on', 'mine'],
      ['on (2)', 'a/b'],
    ]);
  });
});

describe('a file is refused', () => {
  const fileWith = (one: unknown, top = {}) =>
    JSON.stringify({
      format: 'mqttwasm messages',
      version: 1,
      messages: [{ name: 'a', message }, one],
      ...top,
    });

  it.each([
    ['not-json', '{"format":', undefined],
    ['foreign', '{"format":"mqttwasm profiles"}', 'format'],
    ['foreign', '[]', 'format'],
    ['newer', fileWith({}, { version: 2 }), 'version'],
    ['empty', fileWith({}, { messages: [] }), 'messages'],
    ['bad-message', fileWith(5), 'messages[1]'],
    ['bad-message', fileWith({ message }), 'messages[1].name'],
    ['bad-message', fileWith({ name: 'b', collection: 1, message }), 'messages[1].collection'],
    ['bad-message', fileWith({ name: 'b' }), 'messages[1].message'],
    [
      'bad-message',
      fileWith({ name: 'b', message: { ...message, topic: null } }),
      'messages[1].message.topic',
    ],
    ['bad-message', fileWith({ name: 'b', message: { ...message, qos: 3 } }), 'messages[1].message.qos'],
    [
      'bad-message',
      fileWith({ name: 'b', message: { ...message, format: 'x' } }),
      'messages[1].message.format',
    ],
    [
      'bad-message',
      fileWith({ name: 'b', message: { ...message, properties: { userProperties: [['a', 1]] } } }),
      'messages[1].message.properties.userProperties',
    ],
    ['too-large', ' '.repeat(20_000_001), undefined],
  ])('%s %.60s: the error is shown, and nothing is imported', (code, text, path) => {
    const saved = createSaved();
    expect(saved.add(text)).toBe(0);
    expect(saved.entries.value).toEqual([]);
    let error: unknown;
    try {
      importMessages(text);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(ImportError);
    expect(error).toMatchObject({ code, path, message: saved.problem.value });
    if (path?.startsWith('messages[')) expect(saved.problem.value).toContain(path);
  });

  it('if it exceeds the space left', () => {
    const messages = Array.from({ length: 201 }, (_, n) => ({ name: `${n}`, message }));
    const saved = createSaved();
    expect(saved.add(fileWith({}, { messages }))).toBe(0);
    expect(saved.problem.value).toMatch(/room for 200/);
    expect(saved.entries.value).toEqual([]);
  });
});
