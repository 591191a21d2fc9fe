import { expect, it } from 'vitest';
import { type Client, MqttError, type PublishOptions } from '../../client';
import { createAgain } from './again';
import { deferred, entry, everyProperty } from './testing';

function setUp(publish: (topic: string, payload: unknown, options: PublishOptions) => Promise<unknown>) {
  let here = true;
  const again = createAgain({
    client: { publish } as unknown as Client,
    current: () => here,
  });
  return {
    again,
    leave: () => {
      here = false;
    },
  };
}

it('publishes a message unchanged, without what only a broker sets', async () => {
  const calls: unknown[] = [];
  const { again } = setUp(async (...call) => calls.push(call));
  const payload = Uint8Array.of(1);
  await again.give([entry(payload, { topic: 't', qos: 2, retain: true, properties: everyProperty })]);
  await again.settled();
  const { subscriptionIdentifier: _, ...properties } = everyProperty;
  expect(calls).toEqual([['t', payload, { qos: 2, retain: true, timeout: 10_000, properties }]]);
  expect(again.outcome.value).toEqual({ published: 1, failed: 0, reason: '' });
});

it('waits for acks before it goes on', async () => {
  const answers: ReturnType<typeof deferred>[] = [];
  const { again } = setUp(() => {
    const answer = deferred();
    answers.push(answer);
    return answer.promise;
  });
  const given = again.give(Array.from({ length: 101 }, () => entry('x')));
  await Promise.resolve();
  expect(answers).toHaveLength(100);
  answers[50]?.resolve();
  await given;
  expect(answers).toHaveLength(101);
});

it('counts failures, and stops without a connection', async () => {
  const codes = ['packet-too-large', 'not-connected'] as const;
  let calls = 0;
  const { again } = setUp(async () => {
    throw new MqttError(codes[calls++] ?? 'network', 'no');
  });
  await again.give([entry('x')]);
  await again.settled();
  await again.give([entry('x')]);
  await again.settled();
  await expect(again.give([entry('x')])).rejects.toThrow();
  expect(calls).toBe(2);
  expect(again.outcome.value).toMatchObject({ published: 0, failed: 2 });
});

it('does not continue at another broker', async () => {
  let calls = 0;
  const { again, leave } = setUp(async () => calls++);
  await again.give([entry('x')]);
  leave();
  await expect(again.give([entry('x')])).rejects.toThrow('The connection has ended');
  expect(calls).toBe(1);
});
