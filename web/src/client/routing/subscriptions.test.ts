import { describe, expect, test, vi } from 'vitest';
import { MqttError } from '../errors';
import { connack, connected, settled } from '../testing-client';
import { firstOwn, identifierOf } from './identifiers';

describe('subscribe', () => {
  test('resolves to the granted QoS, and routes by topic', async () => {
    const { client, receive, sent } = await connected({ subscribe: async () => ({ reasonCodes: [1] }) });
    const seen: string[] = [];
    const subscription = await client.subscribe('a/+', { qos: 2, nl: true, rh: 1 }, ({ topic }) => {
      seen.push(topic);
    });
    expect(subscription).toMatchObject({ filter: 'a/+', qos: 1, reasonCode: 1 });
    const request = { topic: 'a/+', qos: 2, nl: true, rh: 1, identifier: identifierOf('a/+') };
    expect(sent('subscribe')).toEqual([[[request], { timeout: 30_000 }]]);
    await receive({ topic: 'a/b' }, { topic: 'b' }, { topic: 'a/c' }).done;
    expect(seen).toEqual(['a/b', 'a/c']);
  });

  test('messages that arrive before the SUBACK are delivered', async () => {
    const seen: string[] = [];
    let grant = (): void => {};
    const { client, receive } = await connected({
      subscribe: () =>
        new Promise((resolve) => {
          grant = () => resolve({ reasonCodes: [0] });
        }),
    });
    const subscribing = client.subscribe('a', ({ topic }) => void seen.push(topic));
    await receive({ topic: 'a' }).done;
    grant();
    await subscribing;
    expect(seen).toEqual(['a']);
  });

  test('several filters in one call', async () => {
    const { client, sent } = await connected();
    const subscriptions = await client.subscribe(['a', 'b/#'], { qos: 1 });
    expect(subscriptions.map(({ filter, qos }) => [filter, qos])).toEqual([
      ['a', 1],
      ['b/#', 1],
    ]);
    expect(sent('subscribe')).toHaveLength(1);
  });

  test.each<[string, unknown[]]>([
    ['filter', ['a/#/b']],
    ['filter', [[]]],
    ['filter', [['a', 7]]],
    ['qos', ['a', { qos: 3 }]],
    ['handler', ['a', {}, 7]],
  ])('names the invalid %s, and sends nothing', async (field, args) => {
    const { client, calls } = await connected();
    const subscribe = client.subscribe as (...args: unknown[]) => Promise<unknown>;
    await expect(subscribe(...args)).rejects.toMatchObject({ code: 'bad-option', field });
    expect(calls).toEqual([]);
  });

  test('a refused filter rejects the call, and unsubscribes its granted filters', async () => {
    const { client, sent, receive } = await connected({
      subscribe: async () => ({ reasonCodes: [0, 0x87], reasonString: 'acl' }),
    });
    const handler = vi.fn();
    await expect(client.subscribe(['a', 'b'], {}, handler)).rejects.toMatchObject({
      code: 'refused',
      field: 'filter',
      reasonCode: 0x87,
      reasonString: 'acl',
      message: 'the broker refused "b" with reason 0x87: acl',
    });
    expect(sent('unsubscribe')).toEqual([[['a']]]);
    await receive({ topic: 'a' }, { topic: 'b' }).done;
    expect(handler).not.toHaveBeenCalled();
  });

  test('an aborted subscribe is unsubscribed, in case the broker granted it', async () => {
    const timeout = new MqttError('timeout', 'no answer');
    const { client, sent } = await connected({ subscribe: () => Promise.reject(timeout) });
    await expect(client.subscribe('a')).rejects.toBe(timeout);
    expect(sent('unsubscribe')).toEqual([[['a']]]);
  });

  test('a subscribe interrupted by a crash is unsubscribed by the next program', async () => {
    const gone = new MqttError('crashed', 'the program is gone');
    let program = false;
    const { client, sent, sink } = await connected({
      subscribe: async ([first]) => {
        if (first?.topic === 'theirs') return { reasonCodes: [0] };
        throw gone;
      },
      unsubscribe: async (filters) => {
        if (!program) throw new MqttError('not-connected', 'no');
        return { reasonCodes: filters.map(() => 0) };
      },
    });
    await client.subscribe('theirs');
    await expect(client.subscribe(['mine', 'theirs'])).rejects.toBe(gone);
    program = true;
    sink().onEvent({ type: 'connect', connack });
    await settled();
    expect(sent('unsubscribe').at(-1)).toEqual([['mine']]);
  });

  test('the signal and the timeout are passed to the engine', async () => {
    const { client, sent } = await connected();
    const { signal } = new AbortController();
    await client.subscribe('a', { signal, timeout: 5 });
    expect(sent('subscribe')[0]?.[1]).toEqual({ signal, timeout: 5 });
  });
});

describe('one filter, several subscriptions', () => {
  test('share the broker subscription until the last leaves', async () => {
    const { client, sent, receive } = await connected();
    const seen: string[] = [];
    const first = await client.subscribe('a', () => void seen.push('first'));
    const second = await client.subscribe('a', () => void seen.push('second'));
    await receive({ topic: 'a' }).done;
    await first.unsubscribe();
    expect(sent('unsubscribe')).toEqual([]);
    await receive({ topic: 'a' }).done;
    await Promise.all([second.unsubscribe(), second.unsubscribe()]);
    expect(sent('unsubscribe')).toEqual([[['a']]]);
    expect(seen).toEqual(['first', 'second', 'second']);
  });

  test('request the highest QoS and options that all need', async () => {
    const { client, sent } = await connected();
    const first = await client.subscribe('a', { qos: 2, rap: true });
    await client.subscribe('a', { qos: 0, nl: true, rh: 2 });
    expect(sent('subscribe')[1]?.[0]).toEqual([
      { topic: 'a', qos: 2, nl: false, rap: true, rh: 2, identifier: identifierOf('a') },
    ]);
    expect(first.qos).toBe(2);
  });

  test('client.unsubscribe ends all of them', async () => {
    const { client, sent } = await connected();
    const [first, second] = [await client.subscribe('a'), await client.subscribe('a')];
    await client.unsubscribe('a');
    for (const subscription of [first, second]) {
      for await (const _ of subscription) throw new Error('nothing more should come');
    }
    await first.unsubscribe();
    expect(sent('unsubscribe')).toEqual([[['a']]]);
  });

  test('a refused subscribe unsubscribes a filter that its other subscription has left meanwhile', async () => {
    let answer = (_: number): void => {};
    const { client, sent } = await connected({
      subscribe: (requests) =>
        new Promise((resolve) => {
          answer = (code) => resolve({ reasonCodes: requests.map(() => code) });
          if (requests[0]?.qos === 0) answer(0);
        }),
    });
    const first = await client.subscribe('a');
    const second = client.subscribe('a', { qos: 2 });
    await settled();
    await first.unsubscribe();
    expect(sent('unsubscribe')).toEqual([]);
    answer(0x97);
    await expect(second).rejects.toMatchObject({ code: 'refused' });
    await settled();
    expect(sent('unsubscribe')).toEqual([[['a']]]);
    // A filter that the broker refused is not unsubscribed.
    const third = client.subscribe('a', { qos: 2 });
    await settled();
    answer(0x97);
    await expect(third).rejects.toMatchObject({ code: 'refused' });
    await settled();
    expect(sent('unsubscribe')).toHaveLength(1);
  });

  test('a failed unsubscribe is repeated by the next one', async () => {
    let code = 0;
    const { client, sent } = await connected({
      subscribe: async () => ({ reasonCodes: [code] }),
      unsubscribe: async () => ({ reasonCodes: [code] }),
    });
    const first = await client.subscribe('a');
    code = 0x87;
    await expect(first.unsubscribe()).rejects.toMatchObject({ code: 'refused' });
    await expect(client.subscribe('a')).rejects.toMatchObject({ code: 'refused' });
    await settled();
    expect(sent('unsubscribe')).toEqual([[['a']], [['a']]]);
  });

  test('a second unsubscribe has its own timeout', async () => {
    const { client, sent } = await connected({ unsubscribe: () => new Promise(() => {}) });
    const subscription = await client.subscribe('a');
    void subscription.unsubscribe({ timeout: 0 });
    await expect(subscription.unsubscribe({ timeout: 1 })).rejects.toMatchObject({ code: 'timeout' });
    await expect(subscription.unsubscribe({ signal: AbortSignal.abort('enough') })).rejects.toBe('enough');
    expect(sent('unsubscribe')).toHaveLength(1);
  });

  test('leaving a loop does not wait for the broker', async () => {
    const { client, receive, sent } = await connected({ unsubscribe: () => new Promise(() => {}) });
    const subscription = await client.subscribe('a');
    void receive({ topic: 'a' });
    for await (const message of subscription) {
      expect(message.topic).toBe('a');
      break;
    }
    expect(sent('unsubscribe')).toEqual([[['a']]]);
  });

  test('an unsubscribe that the broker refuses rejects', async () => {
    const { client } = await connected({ unsubscribe: async () => ({ reasonCodes: [0x83] }) });
    await expect(client.unsubscribe('a')).rejects.toMatchObject({ code: 'refused', reasonCode: 0x83 });
  });
});

test('an unsubscribe without a connection is sent at the next connection', async () => {
  let connection = false;
  const { client, sent, sink } = await connected({
    unsubscribe: async (filters) => {
      if (!connection) throw new MqttError('not-connected', 'no');
      return { reasonCodes: filters.map(() => 0) };
    },
  });
  const [a, b] = await client.subscribe(['a', 'b']);
  await expect(a?.unsubscribe()).rejects.toMatchObject({ code: 'not-connected' });
  await expect(b?.unsubscribe()).rejects.toMatchObject({ code: 'not-connected' });
  connection = true;
  await client.subscribe('b');
  sink().onEvent({ type: 'connect', connack });
  await settled();
  sink().onEvent({ type: 'connect', connack });
  expect(sent('unsubscribe').slice(2)).toEqual([[['a']]]);
});

describe('a broker that sends one copy per matching subscription', () => {
  const copies = (...filters: string[]) =>
    filters.map((filter) => ({
      topic: 'a/b',
      properties: { subscriptionIdentifier: identifierOf(filter) },
    }));

  async function overlapping() {
    const fake = await connected();
    const seen: string[] = [];
    const heard = (name: string) => () => void seen.push(name);
    await fake.client.subscribe('a/#', heard('a/#'));
    await fake.client.subscribe(['a/b', '+/b'], {}, ({ topic }) => void seen.push(`two: ${topic}`));
    return { ...fake, seen, heard };
  }

  test('each handler gets its own', async () => {
    const { receive, seen } = await overlapping();
    await receive(...copies('a/b', 'a/#', '+/b')).done;
    expect(seen).toEqual(['two: a/b', 'a/#', 'two: a/b']);
  });

  test('one copy with several identifiers goes to each handler', async () => {
    const { receive, seen } = await overlapping();
    const subscriptionIdentifier = [identifierOf('+/b'), identifierOf('a/#')];
    await receive({ topic: 'a/b', properties: { subscriptionIdentifier } }).done;
    expect(seen).toEqual(['a/#', 'two: a/b']);
  });

  test('without identifiers, or with unknown ones, the topic decides', async () => {
    const { receive, seen } = await overlapping();
    await receive({ topic: 'a/b' }).done;
    await receive({ topic: 'a/b', properties: { subscriptionIdentifier: 9 } }).done;
    expect(seen).toEqual(['a/#', 'two: a/b', 'two: a/b', 'a/#', 'two: a/b', 'two: a/b']);
  });

  test('a copy for one that has ended goes to no other, until it is subscribed to again', async () => {
    const { client, receive, seen, heard } = await overlapping();
    await client.unsubscribe(['a/b', '+/b']);
    await receive(...copies('a/b', 'a/#', '+/b')).done;
    expect(seen).toEqual(['a/#']);
    await client.subscribe('a/b', heard('a/b'));
    await receive(...copies('a/b', 'a/#')).done;
    expect(seen).toEqual(['a/#', 'a/b', 'a/#']);
  });

  test("the caller's identifiers are kept, and the client's own are hidden", async () => {
    const { client, receive, sent, seen, heard } = await overlapping();
    await client.subscribe('#', { properties: { subscriptionIdentifier: 7 } }, heard('#'));
    await client.subscribe('a/b/#', { properties: { subscriptionIdentifier: firstOwn + 1 } }, heard('a/b/#'));
    expect(sent('subscribe').at(-2)?.[0]).toMatchObject([{ topic: '#', identifier: 7 }]);
    // Another subscription with this filter keeps the identifier.
    await client.subscribe('#', heard('again'));
    expect(sent('subscribe').at(-1)?.[0]).toMatchObject([{ topic: '#', identifier: 7 }]);
    seen.length = 0;
    const shown: unknown[] = [];
    client.on('message', (_topic, _payload, { properties }) => shown.push(properties));
    await receive(
      { topic: 'a/b', properties: { subscriptionIdentifier: [identifierOf('a/b'), 7] } },
      { topic: 'a/b', properties: { subscriptionIdentifier: firstOwn + 1 } },
      ...copies('a/b'),
    ).done;
    expect(seen).toEqual(['two: a/b', '#', 'again', 'a/b/#', 'two: a/b']);
    expect(shown).toEqual([{ subscriptionIdentifier: 7 }, { subscriptionIdentifier: firstOwn + 1 }, {}]);
  });
});

test('a filter’s identifier never changes, since sessions store it', () => {
  expect(identifierOf('a')).toBe(202_123_568);
  for (const filter of ['', '#', 'a/+/b', '\u{1f600}'.repeat(1000)]) {
    expect(identifierOf(filter)).toBeGreaterThanOrEqual(firstOwn);
    expect(identifierOf(filter)).toBeLessThan(2 * firstOwn);
  }
});

describe('a signal that fires', () => {
  test('before the SUBACK unsubscribes, and its reason is the rejection', async () => {
    const controller = new AbortController();
    const { client, sent, receive } = await connected({
      subscribe: (_, options) =>
        new Promise((_resolve, reject) => {
          options?.signal?.addEventListener('abort', () => reject(controller.signal.reason));
        }),
    });
    const handler = vi.fn();
    const subscribing = client.subscribe('a', { signal: controller.signal }, handler);
    controller.abort('left');
    await expect(subscribing).rejects.toBe('left');
    expect(sent('unsubscribe')).toEqual([[['a']]]);
    await receive({ topic: 'a' }).done;
    expect(handler).not.toHaveBeenCalled();
  });

  test('together with the SUBACK counts as before it', async () => {
    const controller = new AbortController();
    const { client, sent } = await connected({
      subscribe: async () => {
        controller.abort();
        return { reasonCodes: [0] };
      },
    });
    const subscribing = client.subscribe('a', { signal: controller.signal });
    await expect(subscribing).rejects.toMatchObject({ code: 'aborted', cause: controller.signal.reason });
    expect(sent('unsubscribe')).toEqual([[['a']]]);
  });

  test('later ends the subscriptions of that call, like unsubscribe, and no others', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const { client, sent, receive } = await connected();
    const seen: string[] = [];
    await client.subscribe('shared', () => void seen.push('other'));
    const [shared, own] = await client.subscribe(['shared', 'own'], { signal });
    await client.subscribe('handled', { signal }, () => void seen.push('handled'));
    const loop = (async () => {
      for await (const { topic } of own as NonNullable<typeof own>) seen.push(topic);
      return 'over';
    })();
    await receive({ topic: 'own' }, { topic: 'handled' }).done;
    controller.abort('left');
    expect(await loop).toBe('over');
    await receive({ topic: 'own' }, { topic: 'handled' }, { topic: 'shared' }).done;
    expect(seen).toEqual(['handled', 'own', 'other']);
    expect(sent('unsubscribe').flat(2).sort()).toEqual(['handled', 'own']);
    await shared?.unsubscribe();
    expect(sent('unsubscribe')).toHaveLength(2);
  });

  test('has no listener left after unsubscribing', async () => {
    const controller = new AbortController();
    const { client, sent } = await connected();
    const subscription = await client.subscribe('a', { signal: controller.signal });
    await subscription.unsubscribe();
    await client.subscribe('a');
    controller.abort();
    await settled();
    expect(sent('unsubscribe')).toEqual([[['a']]]);
  });
});
