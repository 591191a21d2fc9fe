import { expect, it } from 'vitest';
import type { Message } from '../../client';
import { createCopies } from './copies';

const text = new TextEncoder();

/** The messages left after deduplication, written as `topic payload identifiers`. */
function left(...batches: string[][]): string[][] {
  const identifiers = new Map<Message, number[]>();
  const names = new Map<Message, string>();
  const withoutCopies = createCopies((message) => identifiers.get(message) ?? []);
  return batches.map((batch) => {
    const messages = batch.map((name) => {
      const [topic = '', payload = '', by] = name.split(' ');
      const message = { topic, payload: text.encode(payload) } as Message;
      identifiers.set(message, by?.split(',').map(Number) ?? []);
      names.set(message, name);
      return message;
    });
    return withoutCopies(messages).map((message) => names.get(message) ?? '');
  });
}

it('a message received for several subscriptions is kept once', () => {
  expect(left(['a 1 1', 'a 1 2', 'a 1 3', 'b 1 1'])).toEqual([['a 1 1', 'b 1 1']]);
});

it('even in two batches, and with others in between', () => {
  expect(left(['a 1 1', 'b 1 1', 'c 1 1'], ['a 1 2', 'b 1 2', 'c 1 2'])).toEqual([
    ['a 1 1', 'b 1 1', 'c 1 1'],
    [],
  ]);
});

it('published twice it is kept twice, in whatever order the copies arrive', () => {
  expect(left(['a 1 1', 'a 1 2', 'a 1 1', 'a 1 2'])).toEqual([['a 1 1', 'a 1 1']]);
  expect(left(['a 1 1', 'a 1 1', 'a 1 2', 'a 1 2'])).toEqual([['a 1 1', 'a 1 1']]);
});

it('a single copy for all of them, which some brokers send, hides no later one', () => {
  expect(left(['a 1 1,2', 'a 1 1,2', 'a 1 2'])).toEqual([['a 1 1,2', 'a 1 1,2', 'a 1 2']]);
});

it('another payload or topic is another message', () => {
  expect(left(['a 1 1', 'a 2 2', 'a 11 2', 'b 1 2'])).toEqual([['a 1 1', 'a 2 2', 'a 11 2', 'b 1 2']]);
});

it('without identifiers all are kept', () => {
  expect(left(['a 1', 'a 1', 'a 1'])).toEqual([['a 1', 'a 1', 'a 1']]);
});

it('a message is not a copy of one long past', () => {
  const between = Array.from({ length: 16 }, (_, n) => `x ${n} 1`);
  expect(left(['a 1 1', ...between, 'a 1 2'])[0]).toHaveLength(18);
});
