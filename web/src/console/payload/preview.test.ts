import { describe, expect, it } from 'vitest';
import type { Message } from '../../client';
import { limits } from '../core/limits';
import { previewOf, propertiesOf } from './preview';

function message(payload: string | Uint8Array, rest: Partial<Message> = {}): Message {
  const bytes = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload;
  return { topic: 'a/b', payload: bytes, properties: {}, ...rest } as Message;
}

describe('previewOf', () => {
  it.each([
    ['文字 🎉', { kind: 'text', text: '文字 🎉', more: 0 }],
    ['', { kind: 'empty', text: '', more: 0 }],
    ['<img src=x onerror=alert(1)>', { kind: 'text', text: '<img src=x onerror=alert(1)>', more: 0 }],
    ['a\nb\0', { kind: 'text', text: 'a␊b␀', more: 0 }],
    [Uint8Array.of(0, 0xff, 0x10), { kind: 'binary', text: '00 ff 10', more: 0 }],
  ])('%j', (payload, expected) => {
    expect(previewOf(message(payload))).toEqual({ topic: 'a/b', ...expected });
  });

  it('says how much of a long text it leaves out, and cuts no character', () => {
    const long = previewOf(message('é'.repeat(1000).padStart(1001, 'x')));
    expect(long.text).toBe('é'.repeat(255).padStart(256, 'x'));
    expect(long.more).toBe(2001 - 511);
  });

  it('says how much of long bytes it leaves out', () => {
    expect(previewOf(message(new Uint8Array(1000).fill(0xff)))).toMatchObject({ kind: 'binary', more: 936 });
  });

  it('finds the byte that is not text behind the part it shows', () => {
    const payload = new Uint8Array(2000).fill(0x61);
    payload[1999] = 0xff;
    expect(previewOf(message(payload)).kind).toBe('binary');
  });

  it('shows what hides in a topic and shortens an endless one', () => {
    expect(previewOf(message('', { topic: 'a\u202eb' })).topic).toBe('a\\u202eb');
    expect(previewOf(message('', { topic: 'x'.repeat(60_000) })).topic).toHaveLength(513);
  });

  it('decodes once', () => {
    let reads = 0;
    const once = message('a', {});
    Object.defineProperty(once, 'payload', {
      get() {
        reads++;
        return new Uint8Array(3);
      },
    });
    expect(previewOf(once)).toBe(previewOf(once));
    expect(reads).toBe(1);
  });
});

it('names every property', () => {
  const properties: Message['properties'] = {
    payloadFormatIndicator: true,
    contentType: 'text/plain',
    messageExpiryInterval: 60,
    responseTopic: 'answers',
    correlationData: Uint8Array.of(0xff, 1),
    subscriptionIdentifier: [3, 4],
    userProperties: [
      ['k', 'v\n'],
      ['k', '2'],
    ],
  };
  expect(propertiesOf(message('', { properties }))).toEqual([
    ['Payload format', 'UTF-8 text'],
    ['Content type', 'text/plain'],
    ['Expires in', '60 s'],
    ['Response topic', 'answers'],
    ['Correlation data', 'ff 01'],
    ['Subscription identifier', '3'],
    ['Subscription identifier', '4'],
    ['User: k', 'v␊'],
    ['User: k', '2'],
  ]);
  expect(propertiesOf(message(''))).toEqual([]);
});

it('of properties without end the first are made, and the others counted', () => {
  let looked = 0;
  const pair = ['', ''];
  const pairs = new Proxy(
    Array.from({ length: 65_000 }, () => pair),
    {
      get(target, key) {
        if (typeof key === 'string' && /^\d+$/.test(key)) looked++;
        return Reflect.get(target, key);
      },
    },
  );
  const properties = { userProperties: pairs, subscriptionIdentifier: Array(65_000).fill(1) };
  const rows = propertiesOf(message('', { properties: properties as Message['properties'] }));
  expect(rows).toHaveLength(2 * limits.properties + 1);
  expect(rows.at(-1)).toEqual(['Not shown', '… and 129,800 more']);
  expect(looked).toBeLessThanOrEqual(limits.properties);
});

it('a property of 64 KiB is cut', () => {
  const long = 'x'.repeat(65_535);
  const properties = {
    contentType: long,
    userProperties: [[long, long]],
    correlationData: new Uint8Array(65_535),
  };
  const rows = propertiesOf(message('', { properties: properties as Message['properties'] }));
  for (const [name, value] of rows) {
    expect(name.length).toBeLessThan(limits.name + 20);
    expect(value.length).toBeLessThanOrEqual(3 * limits.text);
  }
});
