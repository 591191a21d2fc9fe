import { expect, test } from 'vitest';
import { decodeBatch, openBatch } from '../message';
import { encodeBatch, encodeBeside, type Given } from '../testing';
import { createResent } from './resent';

const payload = (text: string) => new TextEncoder().encode(text);
const once = (text: string, more: Partial<Given> = {}): Given => ({
  topic: 't',
  qos: 2,
  payload: payload(text),
  ...more,
});

function receiver() {
  let time = 0;
  const resent = createResent(() => time);
  const receive = (...messages: Given[]): string[] => {
    const { buffer, count } = resent.receive({ buffer: encodeBatch(messages), count: messages.length });
    return decodeBatch(buffer, count).map((message) => message.text());
  };
  const pass = (milliseconds: number): void => {
    time += milliseconds;
  };
  return { ...resent, receive, pass };
}

test('a QoS 2 message already received is not delivered again when resent after a crash', () => {
  const { receive, crashed, connected } = receiver();
  receive(once('1'), once('2'));
  crashed();
  connected();
  const dup = { dup: true, receivedAt: 7, properties: { messageExpiryInterval: 3 } };
  expect(receive(once('1', dup), once('2', dup), once('3', dup), once('4'))).toEqual(['3', '4']);
});

test('a resent message is suppressed as many times as it was received, and no more', () => {
  const { receive, crashed, connected } = receiver();
  receive(once('on'), once('off'), once('on'));
  crashed();
  connected();
  const on = once('on', { dup: true });
  expect(receive(on, on, on, once('on'))).toEqual(['on', 'on']);
});

test('new messages, QoS 1 messages and other topics are not suppressed', () => {
  const { receive, crashed, connected } = receiver();
  receive(once('1'), once('2', { qos: 1 }));
  crashed();
  connected();
  const messages = [once('1'), once('2', { qos: 1, dup: true }), once('1', { topic: 'u', dup: true })];
  expect(receive(...messages)).toEqual(['1', '2', '1']);
});

test('messages acknowledged long before, or resent long after, are not suppressed', () => {
  const { receive, crashed, connected, pass } = receiver();
  receive(once('old'));
  pass(13_000);
  for (const text of ['1', '2', '3']) receive(once(text));
  crashed();
  pass(60_000);
  connected();
  const dup = (text: string) => once(text, { dup: true });
  expect(receive(dup('old'), dup('3'))).toEqual(['old']);
  pass(10_001);
  expect(receive(dup('2'))).toEqual(['2']);
});

test('messages received while acknowledgements waited for a frozen or new page are suppressed', () => {
  const { receive, crashed, connected, pass } = receiver();
  for (const text of ['1', '2', '3', '4', '5']) {
    receive(once(text));
    pass(2500);
  }
  crashed();
  connected();
  const dup = (text: string) => once(text, { dup: true });
  expect(receive(dup('1'), dup('2'), dup('5'), dup('6'))).toEqual(['6']);
});

test('without a crash nothing is removed, and the buffer is the same', () => {
  const messages = [once('1'), once('1', { dup: true })];
  expect(receiver().receive(...messages)).toEqual(['1', '1']);
  const buffer = encodeBatch(messages);
  expect(createResent(() => 0).receive({ buffer, count: 2 }).buffer).toBe(buffer);
});

test('after a second crash before the resend, messages of both count', () => {
  const { receive, crashed, connected } = receiver();
  receive(once('1'));
  crashed();
  connected();
  expect(receive(once('2'))).toEqual(['2']);
  crashed();
  connected();
  expect(receive(once('1', { dup: true }), once('2', { dup: true }))).toEqual([]);
});

test('separately transferred payloads stay with their messages', () => {
  const resent = createResent(() => 0);
  const receive = (...messages: Given[]): string[] => {
    const { buffer, count, payloads } = resent.receive({ count: messages.length, ...encodeBeside(messages) });
    const unread = openBatch(buffer, count, payloads);
    return unread.take(count).map((message) => message.text());
  };
  expect(receive(once('1'), once('2', { qos: 1 }))).toEqual(['1', '2']);
  resent.crashed();
  resent.connected();
  const dup = { dup: true };
  expect(receive(once('0', { qos: 0 }), once('1', dup), once('3', dup), once('4'))).toEqual(['0', '3', '4']);
});
