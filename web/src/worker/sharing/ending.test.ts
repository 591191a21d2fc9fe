/** A tab that ends while others share its connection. */

import { expect, test } from 'vitest';
import { connack, settled, subscription, tab, twoTabs } from './testing';

test('each of two ends settles when its publishes are acknowledged', async () => {
  const { answers, first } = await twoTabs();
  let acknowledge = (_: object): void => {};
  answers.publish = () =>
    new Promise((resolve) => {
      acknowledge = resolve;
    });
  first.publish('a', new Uint8Array()).catch(() => {});
  const ended: string[] = [];
  first.disconnect({}).then(() => ended.push('first'));
  await settled();
  first.disconnect({}).then(() => ended.push('second'));
  await settled();
  expect(ended).toEqual([]);
  acknowledge({});
  await settled();
  await settled();
  expect(ended.sort()).toEqual(['first', 'second']);
});

test.each(['subscribe', 'unsubscribe'] as const)('end waits for the ack of %s', async (kind) => {
  const { answers, first } = await twoTabs();
  if (kind === 'unsubscribe') await first.subscribe(subscription('t'), {});
  let answer = (_: { reasonCodes: number[] }): void => {};
  answers[kind] = () =>
    new Promise((resolve) => {
      answer = resolve;
    });
  const outcome =
    kind === 'subscribe' ? first.subscribe(subscription('t'), {}) : first.unsubscribe(['t'], {});
  const ended: string[] = [];
  outcome.then(() => ended.push('answered'));
  await settled();
  first.disconnect({}).then(() => ended.push('ended'));
  await settled();
  expect(ended).toEqual([]);
  answer({ reasonCodes: [0] });
  await settled();
  await settled();
  expect(ended).toEqual(['answered', 'ended']);
});

test('a filter subscribed as the tab left is unsubscribed, with a retry after a failure', async () => {
  const { answers, first, calls, sink, a } = await twoTabs();
  answers.subscribe = () => new Promise(() => {});
  answers.unsubscribe = () => Promise.reject(Object.assign(new Error('lost'), { code: 'network' }));
  first.subscribe(subscription('t'), {}).catch(() => {});
  await settled();
  a.port.leave();
  await settled();
  answers.unsubscribe = async (filters) => ({ reasonCodes: filters.map(() => 0) });
  sink().onEvent({ type: 'connect', connack: { sessionPresent: true, clientId: 'me' } as never });
  await settled();
  expect(calls.filter(([name]) => name === 'unsubscribe')).toHaveLength(2);
});

test('a kept filter stays, also when the reloaded tab could not subscribe to it at once', async () => {
  const { registry, answers, calls, sink } = await twoTabs();
  const before = tab(registry.attach());
  await (await before.connect({ whenTabCloses: 'keep' })).subscribe(subscription('t'), {});
  before.port.leave();
  const after = await tab(registry.attach()).connect({ whenTabCloses: 'keep' });
  const granted = answers.subscribe;
  answers.subscribe = () => Promise.reject(Object.assign(new Error('lost'), { code: 'network' }));
  await expect(after.subscribe(subscription('t'), {})).rejects.toMatchObject({ code: 'network' });
  sink().onEvent({ type: 'connect', connack });
  await settled();
  expect(calls.filter(([name]) => name === 'unsubscribe')).toEqual([]);
  answers.subscribe = granted;
  await after.subscribe(subscription('t'), {});
  await after.unsubscribe(['t']);
  expect(calls.filter(([name]) => name === 'unsubscribe')).toHaveLength(1);
});
