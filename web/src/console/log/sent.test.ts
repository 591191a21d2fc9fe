import { expect, it, vi } from 'vitest';
import { type Client, type Message, MqttError } from '../../client';
import { packetSize, propertiesSize } from './packet-size';
import { recording, sentMessage } from './sent';

function made(publish: Client['publish'], request?: Client['request']) {
  const entered: Message[] = [];
  const fail = vi.fn();
  const client = { connected: true, publish, request } as unknown as Client;
  const heard: Message[] = [];
  const recorded = recording(
    client,
    (message) => {
      entered.push(message);
      return fail;
    },
    (answer) => heard.push(answer),
  );
  return { recorded, entered, fail, heard };
}

it('adds an entry for a published message, and publishes it', async () => {
  const publish = vi.fn(async () => ({ reasonCode: 16 }));
  const { recorded, entered, fail } = made(publish);
  expect(recorded.connected).toBe(true);
  const options = { qos: 1, retain: true, timeout: 5 } as const;
  await expect(recorded.publish('a', 'text', options)).resolves.toEqual({ reasonCode: 16 });
  expect(publish).toHaveBeenCalledWith('a', 'text', options);
  expect(entered).toMatchObject([{ topic: 'a', qos: 1, retain: true, dup: false, size: 5 }]);
  expect(entered[0]?.text()).toBe('text');
  expect(fail).not.toHaveBeenCalled();
});

it.each([
  ['not-connected', 1],
  ['packet-too-large', 1],
  ['bad-option', 1],
  ['timeout', 0],
  ['refused', 0],
] as const)('after %s, it is reported %i times as not sent', async (code, times) => {
  const { recorded, fail } = made(() => Promise.reject(new MqttError(code, 'no')));
  await expect(recorded.publish('a', '')).rejects.toThrow('no');
  expect(fail).toHaveBeenCalledTimes(times);
});

it('adds entries for a request and its response', async () => {
  const answer = sentMessage('answer', 'yes');
  const { recorded, entered, heard } = made(vi.fn(), async () => answer);
  await expect(recorded.request('ask', 'really?', { qos: 1 })).resolves.toBe(answer);
  expect(entered).toMatchObject([{ topic: 'ask', qos: 1 }]);
  expect(heard).toEqual([answer]);
});

it('a request that was not sent has no response, and is marked', async () => {
  const no = new MqttError('not-connected', 'no');
  const { recorded, fail, heard } = made(vi.fn(), () => Promise.reject(no));
  await expect(recorded.request('ask', '')).rejects.toBe(no);
  expect(fail).toHaveBeenCalledTimes(1);
  expect(heard).toEqual([]);
});

it('copies bytes, whatever their type', () => {
  const buffer = Uint8Array.of(1, 2, 3, 4).buffer;
  const given = [buffer, new Uint8Array(buffer, 1, 2), new DataView(buffer, 2)];
  const payloads = given.map((payload) => sentMessage('a', payload).payload);
  new Uint8Array(buffer).fill(0);
  expect(payloads.map((payload) => [...payload])).toEqual([
    [1, 2, 3, 4],
    [2, 3],
    [3, 4],
  ]);
});

it('has properties in the form they are received', () => {
  const { properties } = sentMessage('a', '', {
    properties: {
      topicAlias: 3,
      contentType: 'x',
      correlationData: 'c',
      userProperties: { k: ['1', '2'], l: '3' },
    },
  });
  expect(properties).toEqual({
    contentType: 'x',
    correlationData: Uint8Array.of(0x63),
    userProperties: [
      ['k', '1'],
      ['k', '2'],
      ['l', '3'],
    ],
  });
});

it.each([
  // Fixed header, topic, no properties (3.3).
  [{}, 1 + 1 + 3 + 1],
  [{ qos: 1 as const }, 1 + 1 + 3 + 2 + 1],
  [{ properties: { payloadFormatIndicator: true, messageExpiryInterval: 1 } }, 1 + 1 + 3 + 1 + 2 + 5],
  [{ properties: { contentType: 'é', userProperties: { k: 'v' } } }, 1 + 1 + 3 + 1 + 5 + 7],
  [{ properties: { responseTopic: 'r', correlationData: 'cc' } }, 1 + 1 + 3 + 1 + 4 + 5],
])('the packet of %j has %i bytes', (options, size) => {
  expect(packetSize(sentMessage('a', '', options))).toBe(size);
});

it('the Remaining Length takes up to four bytes', () => {
  expect(packetSize(sentMessage('a', 'x'.repeat(200)))).toBe(1 + 2 + 3 + 1 + 200);
  expect(propertiesSize({ subscriptionIdentifier: [1, 128, 16_384, 2_097_152] })).toBe(2 + 3 + 4 + 5);
});
