import fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { browser } from '../core/testing';
import { emptyMessage } from './message';
import { createSaved, messageFrom, savedFrom } from './saved';

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
  it('are there at the next visit, by name, each name once', () => {
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

  it('say when the browser keeps nothing', () => {
    full = true;
    const saved = createSaved();
    expect(saved.save('a', message)).toBe(false);
    expect(saved.problem.value).toMatch(/no room/);
    expect(saved.entries.value).toEqual([]);
  });
});

it('are the same in two tabs, and the last of a name is', () => {
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

it('of an earlier version of the page are read as they are', () => {
  const { file: _, ...stored } = message;
  kept = { 'mqttwasm.messages': JSON.stringify([{ name: 'mine', message: { ...stored, format: 'cbor' } }]) };
  const saved = createSaved();
  expect(saved.entries.value).toEqual([{ name: 'mine', message: { ...message, format: 'cbor' } }]);
  saved.save('other', message);
  expect(createSaved().entries.value.map(({ name }) => name)).toEqual(['mine', 'other']);
});

it('takes from foreign JSON what fits, and nothing else', () => {
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
      if (entry) expect(Object.keys(entry)).toEqual(['name', 'message']);
      expect(Object.keys(messageFrom(value))).toEqual(Object.keys(emptyMessage));
    }),
  );
});
