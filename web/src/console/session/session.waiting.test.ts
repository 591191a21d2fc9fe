import { describe, expect, it, vi } from 'vitest';
import type { Client } from '../../client';
import type { Session } from './session';
import { config, down, embeddedUrl, publicUrl, reject } from './testing';
import { made, message, sessionClient } from './testing-session';

describe('what is published while the default broker fails', () => {
  /** Published before the default broker has failed; `otherwise` instead of waiting for the fallback. */
  async function published(begin: (live: Session) => void, otherwise = (_live: Session) => {}) {
    const { connections, shared } = made();
    const sent: string[] = [];
    let fail = () => {};
    shared.config.value = config;
    shared.connect = async ({ url }) => {
      if (url === publicUrl) {
        await new Promise<void>((resolve) => {
          fail = resolve;
        });
        return reject(down);
      }
      const { client } = sessionClient(String(url));
      client.publish.mockImplementation(async () => {
        sent.push(String(url));
        return { reasonCode: 0 };
      });
      return client as unknown as Client;
    };
    const live = connections.active.value;
    begin(live);
    await vi.waitFor(() => expect(live.connection.status.value.url).toBe(publicUrl));
    live.publisher.publish();
    expect(live.publisher.outcomes.value.map(({ tone }) => tone)).toEqual(['waiting']);
    otherwise(live);
    fail();
    await vi.waitFor(() => expect(live.publisher.outcomes.value[0]?.tone).not.toBe('waiting'));
    return { live, sent, told: live.publisher.outcomes.value.map((outcome) => outcome.text()) };
  }
  const starts = (live: Session) => void live.connection.start(async () => config);
  const failed = 'Failed: not connected to a broker';

  it('goes once to the broker that the page itself goes to instead', async () => {
    const { live, sent, told } = await published(starts);
    expect(live.connection.status.value).toEqual({ phase: 'connected', url: embeddedUrl });
    expect([sent, told]).toEqual([[embeddedUrl], ['Sent']]);
  });

  it('goes to no other that is connected to meanwhile, also if it is the same', async () => {
    for (const url of ['ws://mine.example/', embeddedUrl]) {
      const connects = ({ connection }: Session) => {
        connection.edit({ url });
        void connection.connect();
      };
      const { live, sent, told } = await published(starts, connects);
      await vi.waitFor(() => expect(live.connection.status.value).toEqual({ phase: 'connected', url }));
      expect([sent, told]).toEqual([[], [failed]]);
    }
  });

  it('goes nowhere else where somebody chose that broker', async () => {
    const asks = ({ connection }: Session) => void connection.connectByDefault();
    const { live, sent, told } = await published(asks);
    await vi.waitFor(() => expect(live.connection.status.value.phase).toBe('connected'));
    expect([sent, told]).toEqual([[], [failed]]);
    const types = ({ connection }: Session) => {
      connection.edit({ url: publicUrl });
      void connection.connect();
    };
    const typed = await published(types);
    expect(typed.live.connection.status.value.phase).toBe('disconnected');
    expect([typed.sent, typed.told]).toEqual([[], [failed]]);
  });
});

/** An attempt to connect that ends when the test says so. */
function attempted() {
  const { connections, shared } = made();
  const fake = sessionClient('ws://one/');
  let settle = { come: () => {}, fail: () => {} };
  shared.connect = () =>
    new Promise((resolve, no) => {
      settle = { come: () => resolve(fake.client as unknown as Client), fail: () => no(down) };
    });
  const live = connections.active.value;
  const { subscriptions, connection } = live;
  connection.edit({ url: 'ws://one/' });
  const connecting = connection.connect();
  const subscribe = (filter: string) => {
    subscriptions.edit({ filter });
    return subscriptions.subscribe();
  };
  const listed = () =>
    subscriptions.entries.value.map(({ filter, granted, error }) => [filter, granted.value, error.value]);
  const filters = () => fake.client.subscribe.mock.calls.map(([filter]) => filter);
  const entryOf = (filter: string) => {
    const entry = subscriptions.entries.value.find((one) => one.filter === filter);
    if (!entry) throw new Error(`no ${filter}`);
    return entry;
  };
  return {
    live,
    fake,
    connecting,
    come: () => settle.come(),
    fail: () => settle.fail(),
    subscribe,
    listed,
    filters,
    entryOf,
  };
}

it('a request while the page connects is made with the connection, unless it is given up', async () => {
  const { live, fake, connecting, come } = attempted();
  const { publisher } = live;
  const request = vi.fn(async () => message('answer'));
  Object.assign(fake.client, { request });
  const givenUp = publisher.request();
  publisher.dismissAnswer();
  const asked = publisher.request();
  expect(publisher.answer.value).toEqual({ topic: 'mqttwasm/id1/hello' });
  come();
  await Promise.all([connecting, asked, givenUp]);
  expect(request).toHaveBeenCalledTimes(1);
  expect(publisher.answer.value?.message?.topic).toBe('answer');
});

it('a request is told when there will be no connection', async () => {
  const { live, connecting, fail } = attempted();
  const asked = live.publisher.request();
  fail();
  await Promise.all([connecting, asked]);
  expect(live.publisher.answer.value?.failure?.()).toBe('Not connected to a broker');
});

describe('what is subscribed to while the page connects', () => {
  it('is in the list at once, pending, and made with the connection', async () => {
    const { live, connecting, come, subscribe, listed, filters } = attempted();
    await subscribe('a/#');
    expect(live.subscriptions.formError.value).toBe('');
    expect(live.subscriptions.draft.value.filter).toBe('');
    expect(listed()[1]).toEqual(['a/#', undefined, '']);
    expect(live.subscriptions.connecting()).toBe(true);
    come();
    await connecting;
    expect(filters()).toEqual(['mqttwasm/id1/#', 'a/#']);
    expect(listed()[1]).toEqual(['a/#', 2, '']);
    expect(live.subscriptions.connecting()).toBe(false);
  });

  it('is told when there will be no connection, and made with the next one', async () => {
    const { live, connecting, come, fail, subscribe, listed, filters } = attempted();
    await subscribe('a/#');
    fail();
    await connecting;
    const why = 'Not subscribed: not connected to a broker';
    await vi.waitFor(() => expect(listed()[1]).toEqual(['a/#', undefined, why]));
    await subscribe('b');
    expect(live.subscriptions.formError.value).toBe('Not connected to a broker');
    const again = live.connection.connect();
    expect(listed()[1]).toEqual(['a/#', undefined, '']); // it waits again
    come();
    await again;
    expect(filters()).toEqual(['mqttwasm/id1/#', 'a/#']);
    expect(listed()[1]).toEqual(['a/#', 2, '']);
  });

  it('keeps its messages out of the feed if it is paused, also those that come before its answer', async () => {
    const { live, fake, connecting, come, fail, subscribe, listed, entryOf } = attempted();
    await subscribe('a/#');
    live.subscriptions.pause(entryOf('a/#'), true);
    fail();
    await connecting;
    await vi.waitFor(() => expect(listed()[1]?.[2]).not.toBe(''));
    fake.client.subscribe.mockImplementation(() => new Promise(() => {}));
    void live.connection.connect();
    come();
    await vi.waitFor(() => expect(fake.client.subscribe).toHaveBeenCalledTimes(2));
    expect(live.subscriptions.withoutPaused([message('a/b')])).toEqual([]);
  });

  it('goes with the page to another address, and ends with its remove button', async () => {
    const { live, come, subscribe, listed, entryOf } = attempted();
    await subscribe('a/#');
    await subscribe('b/#');
    live.connection.edit({ url: 'ws://two/' });
    const connecting = live.connection.connect();
    await live.subscriptions.unsubscribe(entryOf('b/#'));
    come();
    await connecting;
    expect(listed()).toEqual([
      ['mqttwasm/id1/#', 2, ''],
      ['a/#', 2, ''],
    ]);
  });

  it('is not left at the broker when it is removed or replaced while it is being made', async () => {
    const { live, fake, connecting, come, subscribe, listed, entryOf } = attempted();
    const left: string[] = [];
    const answers: (() => void)[] = [];
    fake.client.subscribe.mockImplementation(async (filter) => {
      await new Promise<void>((resolve) => answers.push(resolve));
      return { qos: 2, unsubscribe: async () => void left.push(filter) };
    });
    await subscribe('a');
    await subscribe('b');
    come();
    await vi.waitFor(() => expect(answers).toHaveLength(3));
    await live.subscriptions.unsubscribe(entryOf('a'));
    const replaced = subscribe('b');
    for (const answer of answers.splice(0)) answer();
    await Promise.all([connecting, replaced]);
    expect(listed().map(([filter]) => filter)).toEqual(['mqttwasm/id1/#', 'b']);
    expect(left.toSorted()).toEqual(['a', 'b']);
  });

  it('is refused at once where the filter is a mistake', async () => {
    const { live, subscribe, listed } = attempted();
    await subscribe('a/#/b');
    const { fieldError, draft } = live.subscriptions;
    expect(fieldError.value).toBe('# must be the last level, alone: "a/#/b"');
    expect(draft.value.filter).toBe('a/#/b');
    expect(listed()).toHaveLength(1);
  });
});
