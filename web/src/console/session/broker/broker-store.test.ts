import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import type { Client, Message, MessageHandler } from '../../../client';
import { createBrokerStore } from './broker-store';

const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** A client whose subscribe settles on demand. */
function fakeClient() {
  const unsubscribe = vi.fn(async () => {});
  let answer = (_error?: Error): void => {};
  let handler: MessageHandler = () => {};
  const subscribe = vi.fn((_filter: string, _options: object, given: MessageHandler) => {
    handler = given;
    return new Promise((resolve, reject) => {
      answer = (error) => (error ? reject(error) : resolve({ unsubscribe }));
    });
  });
  return {
    client: { subscribe } as unknown as Client,
    subscribe,
    unsubscribe,
    answer: (error?: Error) => answer(error),
    send: (topic: string, payload: string) =>
      handler({ topic, payload: new TextEncoder().encode(payload), receivedAt: 5 } as unknown as Message),
  };
}

function store() {
  const later: (() => void)[] = [];
  const made = createBrokerStore((call) => void later.push(call));
  const pass = () => {
    for (const call of later.splice(0)) call();
  };
  return { made, pass };
}

test('subscribes without affecting others, collects values, and unsubscribes', async () => {
  const { made, pass } = store();
  const { client, subscribe, unsubscribe, answer, send } = fakeClient();
  made.look(client);
  expect(subscribe.mock.calls[0]?.slice(0, 2)).toMatchObject(['$SYS/#', { qos: 0, handlerOnly: true }]);
  answer();
  await settled();
  expect(made.phase.value).toBe('granted');
  send('$SYS/broker/clients/total', '4');
  send('$SYS/broker/version', 'x');
  pass();
  expect(made.phase.value).toBe('live');
  expect(made.gauges.size).toBe(2);
  made.look(undefined);
  await settled();
  expect(unsubscribe).toHaveBeenCalledTimes(1);
  send('$SYS/broker/late', '4');
  expect(made.gauges.size).toBe(2);
  made.look(client); // the same broker, so earlier values stay
  expect(made.gauges.size).toBe(2);
  made.look(fakeClient().client);
  expect(made.gauges.size).toBe(0);
});

test('leaving before the SUBACK unsubscribes after it', async () => {
  const { made } = store();
  const { client, unsubscribe, answer } = fakeClient();
  made.look(client);
  made.look(undefined);
  await settled();
  expect(unsubscribe).not.toHaveBeenCalled();
  answer();
  await settled();
  expect(unsubscribe).toHaveBeenCalledTimes(1);
});

test('reports a refusal, and silence', async () => {
  const { made, pass } = store();
  const refusing = fakeClient();
  made.look(refusing.client);
  refusing.answer(new Error('not authorized'));
  await settled();
  expect([made.phase.value, made.problem.value]).toEqual(['failed', 'not authorized']);
  const silent = fakeClient();
  made.look(silent.client);
  expect(made.phase.value).toBe('asking');
  silent.answer();
  await settled();
  pass();
  expect(made.phase.value).toBe('silent');
  silent.send('$SYS/a', '1');
  pass();
  expect(made.phase.value).toBe('live');
});

test('whatever is shown in whatever order, only that is subscribed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(undefined, 0, 1), { maxLength: 12 }), async (looks) => {
      const { made } = store();
      const held = [0, 0];
      const clients = held.map((_, n) => ({
        subscribe: async () => {
          held[n] = (held[n] ?? 0) + 1;
          return {
            async unsubscribe() {
              held[n] = (held[n] ?? 0) - 1;
            },
          };
        },
      }));
      for (const look of looks) {
        made.look(look === undefined ? undefined : (clients[look] as unknown as Client));
      }
      await settled();
      const last = looks.at(-1);
      expect(held).toEqual([last === 0 ? 1 : 0, last === 1 ? 1 : 0]);
    }),
  );
});

test('hidden and shown again, it keeps earlier values until new ones arrive', async () => {
  const { made, pass } = store();
  const { client, answer, send } = fakeClient();
  made.look(client);
  answer();
  await settled();
  send('$SYS/a', '1');
  made.look(undefined);
  made.look(client);
  expect([made.phase.value, made.gauges.size]).toEqual(['live', 1]);
  const seen = made.tick.value;
  send('$SYS/a', '2');
  pass();
  expect(made.tick.value).toBe(seen + 1);
});
