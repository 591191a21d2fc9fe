import { describe, expect, it, vi } from 'vitest';
import type { Client, ConnackInfo, Message, MqttError } from '../../client';
import { keptOf } from './keep';
import type { Session } from './session';
import { plainSettings } from './settings';
import { made, message, sessionClient } from './testing-session';

it('each has its own topic, form and messages; the feed labels each message with its connection', async () => {
  const { connections, feed, connect, kept } = made();
  const first = connections.active.value;
  const second = connections.open();
  const one = await connect(first, 'ws://one:8083/mqtt');
  const two = await connect(second, 'ws://two/mqtt');
  expect([first.name.value, second.name.value]).toEqual(['one:8083', 'two']);
  const filtersOf = ({ client }: typeof one) => client.subscribe.mock.calls.map(([filter]) => filter);
  expect([filtersOf(one), filtersOf(two)]).toEqual([['mqttwasm/id1/#'], ['mqttwasm/id2/#']]);

  one.emit('batch', [message('a')], 0);
  two.emit('batch', [message('b')], 0);
  second.publisher.publish();
  expect(kept()).toEqual([
    ['one:8083', 'a', false],
    ['two', 'b', false],
    ['two', 'mqttwasm/id2/hello', true],
  ]);
  expect(one.client.publish).not.toHaveBeenCalled();
  expect([...first.topics.model.topics, ...second.topics.model.topics].map(({ name }) => name)).toEqual([
    'a',
    'b',
  ]);
  expect(first.topics.earlier('a')).toHaveLength(1);
  expect(second.topics.earlier('a')).toHaveLength(0);

  feed.edit({ connection: 'one:8083' });
  expect(feed.listed().map(({ message }) => message.topic)).toEqual(['a']);
  expect(feed.names.value).toEqual(['one:8083', 'two']);
});

it('messages received before the topics view opens are in the tree, whatever the feed’s filter', async () => {
  const { connections, feed, connect } = made();
  const live = connections.active.value;
  const one = await connect(live, 'ws://one/mqtt');
  one.emit('batch', [message('a')], 0);
  feed.edit({ topic: 'b/#' });
  expect(live.topics.earlier('a')).toHaveLength(1);
});

it('two connections to one broker have different names, and a freed name is reused', async () => {
  const { connections, connect } = made();
  const [first, second] = [connections.active.value, connections.open()];
  await connect(first, 'ws://one/mqtt');
  await connect(second, 'ws://one/mqtt');
  expect([first.name.value, second.name.value]).toEqual(['one', 'one (2)']);
  connections.close(first);
  const third = connections.open();
  await connect(third, 'ws://one/mqtt');
  expect(third.name.value).toBe('one');
});

it('is named after its profile while it uses the profile’s address', async () => {
  const { connections, connect } = made();
  const live = connections.active.value;
  live.use({ name: 'Plant', settings: { ...plainSettings, url: 'ws://plant/mqtt', keepalive: '7' } });
  expect(live.connection.settings.value.keepalive).toBe('7');
  expect(live.name.value).toBe('Connection 1');
  await live.connection.connect();
  expect(live.name.value).toBe('Plant');
  await connect(live, 'ws://elsewhere/mqtt');
  expect(live.name.value).toBe('elsewhere');
});

it('after a change of broker, new messages have the new name and earlier ones the old', async () => {
  const { connections, connect, kept } = made();
  const live = connections.active.value;
  const one = await connect(live, 'ws://one/mqtt');
  one.emit('batch', [message('a')], 0);
  await connect(live, 'ws://two/mqtt');
  one.emit('batch', [message('late')], 0);
  live.publisher.publish();
  expect(kept().map(([name]) => name)).toEqual(['one', 'one', 'two']);
});

it('what a client that was left still brings is told of its broker, and is no topic of the next', async () => {
  const { connections, connect, kept } = made();
  const live = connections.active.value;
  const one = await connect(live, 'ws://one/mqtt');
  const heard = vi.spyOn(live.scripts, 'hear');
  await connect(live, 'ws://two/mqtt');
  one.emit('batch', [message('late')], 0);
  expect(kept().map(([name, topic]) => [name, topic])).toEqual([['one', 'late']]);
  expect(live.topics.model.topics).toEqual([]);
  expect(heard).not.toHaveBeenCalled();
});

it('a repeat goes on in the background, and ends with its own connection only', async () => {
  const { connections, connect, beats, shared } = made();
  const fell = vi.spyOn(shared.forest, 'fell');
  const [first, second] = [connections.active.value, connections.open()];
  const [one, two] = [await connect(first, 'ws://one/mqtt'), await connect(second, 'ws://two/mqtt')];
  for (const { publisher } of [first, second]) {
    publisher.edit({ repeat: true });
    publisher.publish();
  }
  expect(beats).toHaveLength(2);

  connections.close(first);
  expect(one.client.end).toHaveBeenCalledOnce();
  expect(fell.mock.calls).toEqual([[first.topics.model]]);
  expect(beats).toHaveLength(1);
  beats[0]?.();
  expect([one, two].map(({ client }) => client.publish.mock.calls.length)).toEqual([1, 2]);
});

it('a connection closed while connecting does not stay connected', async () => {
  const { connections, shared } = made();
  const fake = sessionClient('ws://slow');
  let answer: (client: Client) => void = () => {};
  shared.connect = () =>
    new Promise((resolve) => {
      answer = resolve;
    });
  const live = connections.open();
  const connecting = live.connection.connect();
  connections.close(live);
  answer(fake.client as unknown as Client);
  await connecting;
  expect(fake.client.end).toHaveBeenCalledWith(true);
  expect(live.connection.client.value).toBeUndefined();
});

it('a reload keeps everything except passwords', async () => {
  const { connections, connect } = made();
  const live = connections.active.value;
  const settings = { ...plainSettings, url: 'ws://plant', username: 'me', keepalive: '7' };
  live.use({ name: 'Plant', settings });
  live.publisher.edit({ qos: 1, file: { name: 'a.bin', bytes: new Uint8Array(3) } });
  live.subscriptions.prepare([{ filter: 'plant/+', qos: 1 }]);
  const { file: _, ...draft } = live.publisher.draft.value;
  live.publisher.next.value = 4;
  expect(keptOf(live)).toEqual({
    name: 'Connection 1',
    profile: 'Plant',
    settings: { ...settings, url: 'ws://plant/' },
    secrets: false,
    connected: false,
    byDefault: false,
    instead: false,
    subscriptions: [
      { filter: 'mqttwasm/id1/#', qos: 2, own: true, auto: 180 },
      { filter: 'plant/+', qos: 1, auto: 0 },
    ],
    draft: { ...draft, file: { name: 'a.bin', base64: 'AAAA' } },
    next: 4,
  });
  live.connection.edit({ password: 'pa55' });
  await live.connection.connect();
  expect(keptOf(live)).toMatchObject({ name: 'Plant', secrets: true, connected: true });
  expect(JSON.stringify(keptOf(live))).not.toContain('pa55');

  live.connection.edit({
    password: '',
    login: { kind: 'url', tokenUrl: 'https://auth/token' },
    secrets: { tokenQuery: '?pa56' },
  });
  expect(keptOf(live)).toMatchObject({
    secrets: true,
    settings: { login: { tokenUrl: 'https://auth/token' } },
  });
  expect(JSON.stringify(keptOf(live))).not.toContain('pa56');

  live.connection.edit({ login: {}, secrets: {} });
  await connect(live, 'ws://plant/mqtt?token=secret');
  expect(keptOf(live)).toMatchObject({ name: 'plant', secrets: true, settings: { url: 'ws://plant/mqtt' } });
  expect(keptOf(live).profile).toBeUndefined();
});

it('a reload gets nothing of what is typed for an address that it is not connected to', async () => {
  const { connections, connect } = made();
  const live = connections.active.value;
  live.connection.edit({ username: 'one', keepalive: '7' });
  await connect(live, 'ws://one/mqtt');
  live.connection.edit({ url: 'ws://two/mqtt', username: 'two', password: 'pa55', clientId: 'two' });
  expect(keptOf(live)).toMatchObject({
    settings: { url: 'ws://one/mqtt', username: 'one', clientId: '', keepalive: '7' },
    secrets: false,
  });
});

it('a new form holds the default broker, and dials nothing', () => {
  const { connections } = made();
  const live = connections.open();
  expect(live.connection.settings.value.url).toBe('ws://default/mqtt');
  expect(live.connection.status.value.phase).toBe('disconnected');
});

it('parts of the page are created once per connection, and disposed of with it', () => {
  const { connections } = made();
  const [first, second] = [connections.active.value, connections.open()];
  const disposed: number[] = [];
  const make = ({ id }: Session) => ({ id, dispose: () => disposed.push(id) });
  expect(second.part(make)).toBe(second.part(make));
  expect([first.part(make).id, second.part(make).id]).toEqual([1, 2]);
  connections.close(second);
  expect(disposed).toEqual([2]);
});

it('a BIRTH received by the current client resolves later aliases, until it is cleared', async () => {
  const { connections, feed, connect } = made();
  const session = connections.active.value;
  const { emit } = await connect(session, 'ws://plant');
  const data = { topic: 'spBv1.0/group/NDATA/node', receivedAt: 2 };
  expect(session.birthBefore(data)).toBeUndefined();
  emit('batch', [message('spBv1.0/group/NBIRTH/node')], 0);
  expect(session.birthBefore(data)).toEqual(new Uint8Array(1));
  feed.clear();
  expect(session.birthBefore(data)).toBeUndefined();
});

it('messages of a paused subscription are in neither the feed nor the tree', async () => {
  const { connections, connect, kept } = made();
  const live = connections.active.value;
  live.subscriptions.prepare([{ filter: 'a/#', qos: 0, paused: true }]);
  const { emit } = await connect(live, 'ws://one/mqtt');
  emit('batch', [message('a/1'), message('b')], 0);
  expect(kept().map(([, topic]) => topic)).toEqual(['b']);
  expect(live.topics.model.nodes).toBe(1);
  expect(live.subscriptions.entries.value[1]?.hidden.value).toBe(1);
});

it('does not subscribe to the page’s own topic if the user opts out', async () => {
  const { connections, connect } = made();
  const live = connections.active.value;
  live.connection.edit({ ownTopic: false });
  expect((await connect(live, 'ws://one/mqtt')).client.subscribe).not.toHaveBeenCalled();
  live.connection.edit({ ownTopic: true });
  expect((await connect(live, 'ws://one/mqtt')).client.subscribe).toHaveBeenCalledTimes(1);
});

describe('retained marks', () => {
  const retained = (topic: string) => ({ ...message(topic), retain: true }) as Message;
  const connack = (sessionPresent: boolean) => ({ sessionPresent, properties: {} }) as ConnackInfo;
  /** Two topics of a subscription, and one without. */
  async function seen() {
    const all = made();
    const live = all.connections.active.value;
    const fake = await all.connect(live, 'ws://one/mqtt');
    fake.emit(
      'batch',
      ['gone', 'stays', 'mqttwasm/none'].map((name) => retained(`mqttwasm/id1/${name}`)),
      0,
    );
    fake.emit('batch', [retained('elsewhere')], 0);
    const marked = () => live.topics.model.topics.filter(({ retained }) => retained).map(({ name }) => name);
    expect(marked()).toEqual(['gone', 'stays', 'none', 'elsewhere']);
    /** Runs pending work until none is left. */
    async function wait(): Promise<void> {
      for (let round = 0; round < 10; round++) {
        await vi.dynamicImportSettled();
        await new Promise((resolve) => setTimeout(resolve));
        for (const beat of all.beats.splice(0)) beat();
      }
    }
    return { ...all, live, fake, marked, wait };
  }
  const [again, none] = ['mqttwasm/id1/stays', 'mqttwasm/id1/mqttwasm/none'];

  it('are removed from topics that are not sent again in a new session', async () => {
    const { fake, marked, wait } = await seen();
    fake.emit('close', undefined);
    fake.emit('batch', [retained(again)], 0);
    fake.emit('connect', connack(false));
    expect(marked()).toHaveLength(4);
    fake.emit('batch', [retained(none)], 0);
    await wait();
    expect(marked()).toEqual(['stays', 'none', 'elsewhere']);
  });

  it('are removed after reconnecting, too', async () => {
    const { connect, fake: old, live, marked, wait } = await seen();
    const fake = await connect(live, 'ws://one/mqtt');
    fake.emit('batch', [retained(again)], 0);
    old.emit('close', undefined);
    await wait();
    expect(marked()).toEqual(['stays', 'elsewhere']);
  });

  it.each<[string, (all: Awaited<ReturnType<typeof seen>>) => void]>([
    ['the session was there', ({ fake }) => fake.emit('connect', connack(true))],
    [
      'messages were lost',
      ({ fake }) => {
        fake.emit('connect', connack(false));
        fake.emit('batch', [], 1);
      },
    ],
    [
      'a subscription was refused',
      ({ fake }) => {
        fake.emit('error', Object.assign(new Error('refused'), { field: 'filter' }) as MqttError);
        fake.emit('connect', connack(false));
      },
    ],
    [
      'the connection is gone again',
      ({ fake }) => {
        fake.emit('connect', connack(false));
        fake.emit('close', undefined);
      },
    ],
    [
      'the subscription does not ask for it',
      ({ fake, live }) => {
        for (const { wanted } of live.subscriptions.entries.value) wanted.value = { ...wanted.value, rh: 2 };
        fake.emit('connect', connack(false));
      },
    ],
    [
      'what comes by the subscription is left out',
      ({ fake, live }) => {
        for (const entry of live.subscriptions.entries.value) live.subscriptions.pause(entry, true);
        fake.emit('connect', connack(false));
      },
    ],
  ])('are kept if %s', async (_, happens) => {
    const all = await seen();
    all.fake.emit('close', undefined);
    happens(all);
    await all.wait();
    expect(all.marked()).toHaveLength(4);
  });
});
