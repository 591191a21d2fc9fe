import { describe, expect, it, vi } from 'vitest';
import type { Client, MessageHandler, SubscribeOptions } from '../../client';
import type { Failure } from '../core/failure';
import { createSubscriptions } from './subscriptions';

function made() {
  const handlers = new Map<string, MessageHandler>();
  const unsubscribed: string[] = [];
  const state = { connected: true, fail: undefined as Failure | undefined };
  const subscribe = vi.fn(async (filter: string, options: SubscribeOptions, handler: MessageHandler) => {
    if (state.fail) throw state.fail;
    handlers.set(filter, handler);
    return {
      filter,
      qos: Math.min(options.qos ?? 0, 1),
      unsubscribe: async () => {
        if (state.fail) throw state.fail;
        unsubscribed.push(`${filter} ${options.qos}`);
      },
    };
  });
  const client = { subscribe } as unknown as Client;
  const frames: (() => void)[] = [];
  const store = createSubscriptions(
    {
      client: () => (state.connected ? client : undefined),
      toFailure: (error) => error as Failure,
      frame: (call) => frames.push(call),
    },
    'mqttwasm/1/#',
  );
  const message = (filter: string) => handlers.get(filter)?.({} as never);
  return { store, client, subscribe, state, frames, message, unsubscribed };
}

const listed = ({ store }: ReturnType<typeof made>) =>
  store.entries.value.map((entry) => [entry.filter, entry.granted.value]);

describe('subscribe', () => {
  it('has its own topic, which each connection gets', async () => {
    const all = made();
    expect(listed(all)).toEqual([['mqttwasm/1/#', undefined]]);
    await all.store.onClient(all.client);
    expect(listed(all)).toEqual([['mqttwasm/1/#', 1]]);
    all.store.onGone();
    expect(listed(all)).toEqual([['mqttwasm/1/#', undefined]]);
    await all.store.onClient(all.client);
    expect(all.subscribe).toHaveBeenCalledTimes(2);
  });

  it('adds what the form says, with the QoS that was granted', async () => {
    const all = made();
    all.store.edit({ filter: '/python/+', qos: 2 });
    await all.store.subscribe();
    expect(listed(all)).toContainEqual(['/python/+', 1]);
    expect(all.store.draft.value).toEqual({ filter: '', qos: 2 });
  });

  it('replaces a subscription to the same filter', async () => {
    const all = made();
    for (const qos of [0, 1] as const) {
      all.store.edit({ filter: 'a', qos });
      await all.store.subscribe();
    }
    expect(listed(all)).toEqual([
      ['mqttwasm/1/#', undefined],
      ['a', 1],
    ]);
    expect(all.unsubscribed).toEqual(['a 0']);
  });

  it('shows a bad filter at the field and keeps it', async () => {
    const all = made();
    all.state.fail = { code: 'bad-option', message: 'filter: # must be last', field: 'filter' };
    all.store.edit({ filter: 'a/#/b' });
    await all.store.subscribe();
    expect(all.store.fieldError.value).toBe('# must be last');
    expect(all.store.draft.value.filter).toBe('a/#/b');
    expect(all.store.entries.value).toHaveLength(1);
    all.store.edit({ filter: 'a/#' });
    expect(all.store.fieldError.value).toBe('');
  });

  it('shows the broker’s refusal below the form', async () => {
    const all = made();
    all.state.fail = { code: 'refused', message: 'Not authorized', reasonCode: 0x87 };
    all.store.edit({ filter: '$SYS/#' });
    await all.store.subscribe();
    expect(all.store.formError.value).toBe('Not authorized [0x87]');
    expect(all.store.busy.value).toBe(false);
  });

  it('says so when there is no connection', async () => {
    const all = made();
    all.state.connected = false;
    all.store.edit({ filter: 'a' });
    await all.store.subscribe();
    expect(all.store.formError.value).toBe('Not connected to a broker');
  });

  it('a new connection goes on without a filter that its broker refuses', async () => {
    const all = made();
    all.state.fail = { code: 'refused', message: 'Not authorized', reasonCode: 0x87 };
    await all.store.onClient(all.client);
    expect(all.store.entries.value[0]?.error.value).toBe('Not subscribed: Not authorized [0x87]');
  });
});

describe('unsubscribe', () => {
  it('takes the filter off the list once the broker knows', async () => {
    const all = made();
    await all.store.onClient(all.client);
    const [entry] = all.store.entries.value;
    if (!entry) throw new Error('no entry');
    all.state.fail = { code: 'timeout', message: 'timed out' };
    await all.store.unsubscribe(entry);
    expect(entry.error.value).toBe('Still subscribed: timed out');
    all.state.fail = undefined;
    await all.store.unsubscribe(entry);
    expect(all.store.entries.value).toEqual([]);
    expect(all.unsubscribed).toEqual(['mqttwasm/1/# 2']);
  });

  it('needs no broker while there is none', async () => {
    const all = made();
    all.state.connected = false;
    const [entry] = all.store.entries.value;
    if (entry) await all.store.unsubscribe(entry);
    expect(all.store.entries.value).toEqual([]);
  });
});

it('shows the count once a frame', async () => {
  const all = made();
  await all.store.onClient(all.client);
  const count = () => all.store.entries.value[0]?.count.value;
  for (let i = 0; i < 1000; i++) all.message('mqttwasm/1/#');
  expect([count(), all.frames.length]).toEqual([0, 1]);
  all.frames.pop()?.();
  expect(count()).toBe(1000);
  all.message('mqttwasm/1/#');
  all.frames.pop()?.();
  expect(count()).toBe(1001);
});
