import { expect, it } from 'vitest';
import type { Message } from '../../client';
import { again, replyTo } from './resend';

const encode = (text: string) => new TextEncoder().encode(text);

const received = (message: Partial<Message>) =>
  ({ topic: 'a/b', payload: encode('21.5'), qos: 1, retain: true, properties: {}, ...message }) as Message;

it('a received message fills the form unchanged', () => {
  const properties = {
    payloadFormatIndicator: true,
    messageExpiryInterval: 60,
    contentType: 'text/plain',
    responseTopic: 'answers',
    correlationData: new Uint8Array([0, 255]),
    userProperties: [['a', 'b']] as [string, string][],
    subscriptionIdentifier: 3,
  };
  expect(again(received({ properties }))).toMatchObject({
    topic: 'a/b',
    payload: '21.5',
    file: undefined,
    qos: 1,
    retain: true,
    correlation: new Uint8Array([0, 255]),
    properties: {
      payloadFormatIndicator: true,
      messageExpiryInterval: '60',
      contentType: 'text/plain',
      responseTopic: 'answers',
      userProperties: [['a', 'b']],
    },
  });
});

it.each([
  ['more than one edits that is no text', new Uint8Array(2000).fill(0xff)],
  ['a place that would be filled in', encode('{"{{n}}": 1}')],
  ['more than one edits', new Uint8Array(300_000).fill(0x61)],
])('%s becomes a file with a copy of its bytes', (_, payload) => {
  const { file, payload: typed } = again(received({ payload }));
  expect(typed).toBe('');
  expect(file?.bytes).toEqual(payload);
  expect(file?.bytes.buffer).not.toBe(payload.buffer);
});

it.each([
  ['text', encode('on'), 'text', 'on'],
  ['JSON', encode('{"on": true}'), 'json', '{"on": true}'],
  ['what looks like JSON', encode('{"on": tr'), 'text', '{"on": tr'],
  ['what is no text', new Uint8Array([0xff, 0x00]), 'hex', 'ff 00'],
] as const)('%s is edited in its own format', (_, payload, format, typed) => {
  expect(again(received({ payload }))).toMatchObject({ format, payload: typed, file: undefined });
});

it('a request is answered at its response topic, with its exact correlation data', () => {
  expect(replyTo(received({}))).toBeUndefined();
  const correlationData = new Uint8Array([1, 0xfe]);
  const reply = replyTo(received({ properties: { responseTopic: 'answers/7', correlationData } }));
  expect(reply).toMatchObject({ topic: 'answers/7', qos: 1, retain: false, correlation: correlationData });
  expect(reply).not.toHaveProperty('payload');
});
