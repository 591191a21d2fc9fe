import { describe, expect, it, vi } from 'vitest';
import type { Client, Message, MessageHandler, SubscribeOptions } from '../../client';
import type { Failure } from '../core/failure';
import { errorOf } from '../core/testing';
import { createSubscriptions } from './subscriptions';
import { wantedFrom } from './wanted';

function made(granted?: { maximumQoS?: number; subscriptionIdentifiersAvailable?: boolean }) {
  const handlers = new Map<string, MessageHandler>();
  const unsubscribed: string[] = [];
  const state = { connected: true, fail: undefined as Failure | undefined };
  const subscribe = vi.fn(async (filter: string, options: SubscribeOptions, handler: MessageHandler) => {
    if (state.fail) throw errorOf(state.fail);
    handlers.set(filter, handler);
    return {
      filter,
      qos: Math.min(options.qos ?? 0, 1),
      unsubscribe: async () => {
        if (state.fail) throw errorOf(state.fail);
        unsubscribed.push(`${filter} ${options.qos}`);
      },
    };
  });
  const client = { subscribe, connack: granted && { properties: granted } } as unknown as Client;
  const frames: (() => void)[] = [];
  const store = createSubscriptions(
    {
      client: () => (state.connected ? client : undefined),
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
  it('subscribes to the page’s own topic on each connection', async () => {
    const all = made();
    expect(listed(all)).toEqual([['mqttwasm/1/#', undefined]]);
    await all.store.onClient(all.client);
    expect(listed(all)).toEqual([['mqttwasm/1/#', 1]]);
    all.store.onGone();
    expect(listed(all)).toEqual([['mqttwasm/1/#', undefined]]);
    await all.store.onClient(all.client);
    expect(all.subscribe).toHaveBeenCalledTimes(2);
  });

  it('adds the form’s filter, with the granted QoS', async () => {
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

  it('shows an invalid filter at the field and keeps it', async () => {
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

  it('reports a missing connection', async () => {
    const all = made();
    all.state.connected = false;
    all.store.edit({ filter: 'a' });
    await all.store.subscribe();
    expect(all.store.formError.value).toBe('Not connected to a broker');
  });

  it('a filter refused by a new broker does not fail the connection', async () => {
    const all = made();
    all.state.fail = { code: 'refused', message: 'Not authorized', reasonCode: 0x87 };
    await all.store.onClient(all.client);
    expect(all.store.entries.value[0]?.error.value).toBe('Not subscribed: Not authorized [0x87]');
  });
});

describe('unsubscribe', () => {
  it('removes the filter after the UNSUBACK', async () => {
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

  it('works locally without a connection', async () => {
    const all = made();
    all.state.connected = false;
    const [entry] = all.store.entries.value;
    if (entry) await all.store.unsubscribe(entry);
    expect(all.store.entries.value).toEqual([]);
  });
});

it('updates the count once a frame', async () => {
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

const optionsIn = ({ subscribe }: ReturnType<typeof made>) =>
  subscribe.mock.calls.map(([filter, { timeout: _, ...options }]) => ({ filter, ...options }));

const entryOf = ({ store }: ReturnType<typeof made>, filter: string) => {
  const entry = store.entries.value.find((one) => one.filter === filter);
  if (!entry) throw new Error(`no ${filter}`);
  return entry;
};

describe('the options of a subscription', () => {
  it('are sent to the broker, and again on the next connection', async () => {
    const all = made();
    all.store.edit({
      filter: 'a/#',
      qos: 1,
      nl: true,
      rap: true,
      rh: 2,
      identifier: '7',
      name: 'A',
      hue: 25,
    });
    await all.store.subscribe();
    const asked = {
      filter: 'a/#',
      qos: 1,
      nl: true,
      rap: true,
      rh: 2,
      properties: { subscriptionIdentifier: 7 },
    };
    expect(optionsIn(all)).toEqual([asked]);
    expect(all.store.draft.value).toEqual({ filter: '', qos: 1 });
    await all.store.onClient(all.client);
    expect(optionsIn(all)).toContainEqual(asked);
    expect(optionsIn(all)).toHaveLength(3);
  });

  it('with default values are omitted', async () => {
    const all = made();
    all.store.edit({ filter: 'a', nl: false, rap: true, rh: 0, identifier: ' ', name: '', hue: undefined });
    await all.store.subscribe();
    expect(optionsIn(all)).toEqual([{ filter: 'a', qos: 0, rap: true }]);
    expect(all.store.kept()[1]).toEqual({ filter: 'a', qos: 0, auto: 0 });
  });

  it('can exclude Retain As Published, and remember that', async () => {
    const all = made();
    all.store.edit({ filter: 'a', rap: false });
    await all.store.subscribe();
    expect(optionsIn(all)).toEqual([{ filter: 'a', qos: 0 }]);
    expect(all.store.kept()[1]).toEqual({ filter: 'a', qos: 0, rap: false, auto: 0 });
    expect(wantedFrom(all.store.kept()[1])).toEqual({ filter: 'a', qos: 0, rap: false });
    all.store.load(entryOf(all, 'a'));
    expect(all.store.draft.value.rap).toBe(false);
  });

  it('omit an identifier that the broker does not support', async () => {
    const all = made({ subscriptionIdentifiersAvailable: false });
    expect(all.store.identifiers()).toBe(false);
    all.store.prepare([{ filter: 'a', qos: 0, identifier: 7 }]);
    await all.store.onClient(all.client);
    expect(optionsIn(all)).toContainEqual({ filter: 'a', qos: 0, rap: true });
    expect(all.store.kept()[1]?.identifier).toBe(7);
  });

  it.each([
    ['properties.subscriptionIdentifier', ['must be 1 to 268435455', '', '']],
    ['nl', ['', 'No Local: must be 1 to 268435455', '']],
  ])('with an error in %s show it there', async (field, told) => {
    const all = made();
    all.state.fail = { code: 'bad-option', message: `${field}: must be 1 to 268435455`, field };
    all.store.edit({ filter: 'a', identifier: '0' });
    await all.store.subscribe();
    const { identifierError, formError, fieldError } = all.store;
    const lower = [identifierError.value, formError.value, fieldError.value].map((text) =>
      text.replace('Must', 'must'),
    );
    expect(lower).toEqual(told);
  });

  it('fill the form, where a changed name or colour is not sent to the broker', async () => {
    const all = made();
    all.store.edit({ filter: 'a/#', qos: 1, rh: 1, identifier: '7' });
    await all.store.subscribe();
    const entry = entryOf(all, 'a/#');
    all.store.load(entry);
    expect(all.store.draft.value).toEqual({ filter: 'a/#', qos: 1, rh: 1, identifier: '7' });
    all.store.edit({ name: 'Kitchen', hue: 25 });
    await all.store.subscribe();
    expect(all.subscribe).toHaveBeenCalledTimes(1);
    expect([entryOf(all, 'a/#'), entry.wanted.value.name, entry.hue.value]).toEqual([entry, 'Kitchen', 25]);

    all.store.load(entry);
    all.store.edit({ nl: true, hue: undefined });
    await all.store.subscribe();
    expect(all.subscribe).toHaveBeenCalledTimes(2);
    expect(entryOf(all, 'a/#').hue.value).not.toBe(25);
    // Unchanged: subscribes again, which delivers retained messages again.
    all.store.load(entryOf(all, 'a/#'));
    await all.store.subscribe();
    expect(all.subscribe).toHaveBeenCalledTimes(3);
  });

  it('are stored, with the automatic colour', async () => {
    const all = made();
    all.store.prepare([
      { filter: 'a', qos: 0 },
      { filter: 'b', qos: 2, nl: true, name: 'B', hue: 60 },
    ]);
    all.store.entries.value = all.store.entries.value.slice(1);
    all.store.pause(entryOf(all, 'a'), true);
    const kept = all.store.kept();
    const next = made();
    next.store.entries.value = [];
    next.store.prepare(JSON.parse(JSON.stringify(kept)));
    expect(next.store.kept()).toEqual(kept);
    expect(kept).toEqual([
      { filter: 'a', qos: 0, auto: 0, paused: true },
      { filter: 'b', qos: 2, nl: true, name: 'B', hue: 60 },
    ]);
  });
});

describe('the page’s own topic', () => {
  it.each([
    [undefined, 2],
    [1, 1],
    [0, 0],
  ])('with a Maximum QoS of %s is requested at QoS %s', async (maximumQoS, qos) => {
    const all = made(maximumQoS === undefined ? {} : { maximumQoS });
    all.store.prepare([{ filter: 'a', qos: 2 }]);
    await all.store.onClient(all.client);
    // Another filter uses the user's options.
    expect(optionsIn(all)).toEqual([
      { filter: 'mqttwasm/1/#', qos, rap: true },
      { filter: 'a', qos: 2, rap: true },
    ]);
    expect(all.store.kept()[0]?.qos).toBe(2);
  });

  it('is not subscribed if the user opts out, until opting in again', async () => {
    const all = made();
    all.store.prepare([{ filter: 'a', qos: 2 }]);
    const filters = () => all.store.entries.value.map(({ filter }) => filter);
    all.store.setOwn(false);
    expect(filters()).toEqual(['a']);
    all.store.setOwn(true);
    expect(filters()).toEqual(['mqttwasm/1/#', 'a']);
    await all.store.unsubscribe(entryOf(all, 'mqttwasm/1/#'));
    all.store.setOwn(true);
    expect(filters()).toEqual(['a']);
  });
});

describe('paused', () => {
  const shown = ({ store }: ReturnType<typeof made>, ...topics: string[]) =>
    store.withoutPaused(topics.map((topic) => ({ topic }) as Message)).map(({ topic }) => topic);

  it('skips messages of this subscription alone, and counts them once a frame', async () => {
    const all = made();
    all.store.prepare(['a/#', 'a/b', '$share/g/c/+'].map((filter) => ({ filter, qos: 0 })));
    await all.store.onClient(all.client);
    const [whole, one, shared] = ['a/#', 'a/b', '$share/g/c/+'].map((filter) => entryOf(all, filter));
    if (!whole || !one || !shared) throw new Error('no entries');
    const topics = ['a/b', 'a/c', 'c/1', 'mqttwasm/1/x', 'by/nobody'];
    expect(shown(all, ...topics)).toEqual(topics);

    all.store.pause(whole, true);
    all.store.pause(shared, true);
    expect(shown(all, ...topics, 'a/d')).toEqual(['a/b', 'mqttwasm/1/x', 'by/nobody']);
    expect([whole.hidden.value, all.frames.length]).toEqual([0, 1]);
    all.frames.pop()?.();
    expect([whole, one, shared].map(({ hidden }) => hidden.value)).toEqual([2, 0, 1]);

    all.store.pause(one, true);
    expect(shown(all, 'a/b')).toEqual([]);
    all.frames.pop()?.();
    expect([whole.hidden.value, one.hidden.value]).toEqual([3, 1]);

    for (const entry of [whole, one, shared]) all.store.pause(entry, false);
    expect(shown(all, ...topics)).toEqual(topics);
    expect([whole.hidden.value, all.unsubscribed]).toEqual([0, []]);
  });

  it('skips messages even before the SUBACK; a refused one skips none', async () => {
    const all = made();
    all.store.prepare(['a/#', 'a/b'].map((filter) => ({ filter, qos: 0, paused: filter === 'a/#' })));
    expect(shown(all, 'a/c')).toEqual([]);
    expect(shown(all, 'a/b')).toEqual(['a/b']);
    entryOf(all, 'a/b').error.value = () => 'Not subscribed: not authorized';
    expect(shown(all, 'a/b')).toEqual([]);
  });

  it('stays paused when subscribed again', async () => {
    const all = made();
    all.store.prepare([{ filter: 'a', qos: 0, paused: true }]);
    all.store.edit({ filter: 'a', qos: 1 });
    await all.store.subscribe();
    expect(entryOf(all, 'a').paused.value).toBe(true);
  });
});

it('each has a colour clearly different from the others', () => {
  const all = made();
  all.store.prepare(['a', 'b', 'c'].map((filter) => ({ filter, qos: 0 })));
  expect(all.store.entries.value.map(({ hue }) => hue.value)).toEqual([180, 0, 90, 270]);
});

describe('an error of the form', () => {
  const refused: Failure = { code: 'refused', message: 'Not authorized', reasonCode: 0x87 };

  it('goes when the connection that gave it is left', async () => {
    const all = made();
    all.state.fail = refused;
    await all.store.onClient(all.client);
    all.store.edit({ filter: 'a' });
    await all.store.subscribe();
    const errors = () => [all.store.formError.value, entryOf(all, 'mqttwasm/1/#').error.value];
    expect(errors()).not.toContain('');
    all.store.onGone();
    expect(errors()).toEqual(['', '']);
    all.state.fail = { code: 'unsupported', message: 'filter: no wildcards here', field: 'filter' };
    await all.store.subscribe();
    expect(all.store.fieldError.value).toBe('No wildcards here');
    all.store.onGone();
    expect(all.store.fieldError.value).toBe('');
  });

  it('that there is no connection goes when there is one', async () => {
    const all = made();
    all.state.connected = false;
    all.store.edit({ filter: 'a' });
    await all.store.subscribe();
    all.state.connected = true;
    await all.store.onClient(all.client);
    expect(all.store.formError.value).toBe('');
  });

  it.each([undefined, refused])('an answer of a connection that was left is none: %j', async (fail) => {
    const all = made();
    all.state.fail = fail;
    all.store.edit({ filter: 'a', qos: 1 });
    const asked = Promise.all([all.store.onClient(all.client), all.store.subscribe()]);
    all.state.connected = false;
    all.store.onGone();
    await asked;
    expect([all.store.formError.value, entryOf(all, 'mqttwasm/1/#').error.value]).toEqual(['', '']);
    expect(listed(all)).toEqual([['mqttwasm/1/#', undefined]]);
    expect(all.store.draft.value.filter).toBe('a');
    expect(all.store.busy.value).toBe(false);
  });
});
