import { describe, expect, it, vi } from 'vitest';
import type { Client, ClientEvents, ConnectOptions } from '../../client';
import { type Config, standalone } from '../config';
import type { Failure, Surroundings } from './explain';
import { plainSettings } from './settings';
import { createConnection, type Dependencies } from './store';

const page = 'http://127.0.0.1:8080/';
const publicUrl = 'ws://broker.emqx.io:8083/mqtt';
const embeddedUrl = 'ws://127.0.0.1:8080/mqtt';
const config: Config = {
  version: '1',
  brokers: [...standalone.brokers, { name: 'This server', url: embeddedUrl, embedded: true }],
};

type Listeners = { [E in keyof ClientEvents]?: (...args: ClientEvents[E]) => void };

/** A client as far as the store looks at it. */
function fakeClient() {
  const listeners: Listeners = {};
  const state = { connected: true };
  const end = vi.fn(async () => {});
  const client = {
    get connected() {
      return state.connected;
    },
    end,
    on: (event: keyof ClientEvents, listener: () => void) => Object.assign(listeners, { [event]: listener }),
  };
  function emit<E extends keyof ClientEvents>(event: E, ...args: ClientEvents[E]) {
    const listener = listeners[event] as ((...args: ClientEvents[E]) => void) | undefined;
    listener?.(...args);
  }
  return { client: client as unknown as Client, emit, end, state };
}

/** `dial` answers each address with a client or throws a `Failure`. */
function set(
  dial: (options: ConnectOptions) => Promise<Client>,
  survey?: () => Promise<Surroundings>,
  program = async () => {},
) {
  const dialled: string[] = [];
  const deps = {
    connect: vi.fn((options: ConnectOptions) => {
      dialled.push(String(options.url));
      return dial(options);
    }),
    program: vi.fn(program),
    survey: vi.fn(survey ?? (async () => ({ url: publicUrl, page, reach: 'silent' as const }))),
    toFailure: (error: unknown) => error as Failure,
    page,
    age: () => 700,
    onClient: vi.fn(async () => {}),
    onGone: vi.fn(),
  } satisfies Dependencies;
  return { connection: createConnection(deps), deps, dialled };
}

const down: Failure = { code: 'network', message: 'closed' };

function deferred<T>() {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

function reject(failure: Failure): Promise<Client> {
  return Promise.reject(failure);
}

describe('on load', () => {
  it('connects to the default broker', async () => {
    const { client } = fakeClient();
    const { connection, deps, dialled } = set(async () => client);
    const started = connection.start(async () => config);
    expect(connection.status.value.phase).toBe('connecting');
    await started;
    expect(dialled).toEqual([publicUrl]);
    expect(connection.status.value).toEqual({ phase: 'connected', url: publicUrl });
    expect(connection.selected()).toBe('EMQX public broker');
    expect(deps.onClient).toHaveBeenCalledWith(client);
    expect(deps.connect.mock.calls[0]?.[0].connectTimeout).toBe(3300);
  });

  it('takes its time with a default broker that nothing can stand in for', async () => {
    const { client } = fakeClient();
    const { connection, deps } = set(async () => client);
    const [embedded] = config.brokers.filter((broker) => broker.embedded);
    await connection.start(async () => ({ version: '1', brokers: embedded ? [embedded] : [] }));
    expect(deps.connect.mock.calls[0]?.[0].connectTimeout).toBe(15_000);
  });

  it('gives up on the default broker in time', async () => {
    vi.useFakeTimers();
    try {
      const { client } = fakeClient();
      const { connection } = set(({ url, signal }) => {
        if (url === embeddedUrl) return Promise.resolve(client);
        return new Promise((_, no) => {
          signal?.addEventListener('abort', () => no({ code: 'aborted', message: 'the signal' }));
        });
      });
      const started = connection.start(async () => config);
      await vi.advanceTimersByTimeAsync(3299);
      expect(connection.status.value).toEqual({ phase: 'connecting', url: publicUrl });
      await vi.advanceTimersByTimeAsync(1);
      await started;
      expect(connection.status.value).toEqual({ phase: 'connected', url: embeddedUrl });
      expect(connection.notice.value?.title).toMatch(/did not answer in time. Using “This server” instead/);
      expect(connection.notice.value?.detail).toBe('no answer within 3.3 s');
    } finally {
      vi.useRealTimers();
    }
  });

  it('goes to the embedded broker when the default one can’t be reached, and says so', async () => {
    const { client, emit } = fakeClient();
    const { connection, deps, dialled } = set(({ url }) =>
      url === publicUrl ? reject(down) : Promise.resolve(client),
    );
    await connection.start(async () => config);
    expect(dialled).toEqual([publicUrl, embeddedUrl]);
    expect(connection.status.value).toEqual({ phase: 'connected', url: embeddedUrl });
    expect(connection.settings.value.url).toBe(embeddedUrl);
    expect(connection.notice.value?.title).toMatch(/Using “This server” instead/);
    expect(connection.notice.value?.retry?.name).toBe('EMQX public broker');
    await vi.waitFor(() => expect(connection.notice.value?.title).toMatch(/Nothing answers.*instead/));
    expect(deps.survey).toHaveBeenCalledTimes(1);

    // The first connection's own event does not take the news away.
    emit('connect', undefined as never);
    expect(connection.notice.value?.tone).toBe('warning');
  });

  it('says so when neither can be reached', async () => {
    const { connection } = set(() => reject(down));
    await connection.start(async () => config);
    expect(connection.status.value.phase).toBe('disconnected');
    expect(connection.notice.value?.title).toMatch(/^Neither .* can be reached/);
  });

  it('stays away from a public broker when the private default fails', async () => {
    const inside = { name: 'inside', url: 'ws://10.0.0.5:8083/mqtt', default: true };
    const outside = { name: 'outside', url: publicUrl, embedded: true };
    const { connection, dialled } = set(() => reject(down));
    await connection.start(async () => ({ version: '', brokers: [outside, inside] }));
    expect(dialled).toEqual([inside.url]);
    expect(connection.notice.value?.tone).toBe('error');
  });

  it('connects to nothing when the list of brokers can’t be read', async () => {
    const { connection, dialled } = set(() => reject(down));
    await connection.start(async () => Promise.reject(new Error('the server answered 502')));
    expect(dialled).toEqual([]);
    expect(connection.notice.value?.detail).toBe('config.json: the server answered 502');
    expect(connection.status.value.phase).toBe('disconnected');
  });

  it('leaves the word to a person who was faster', async () => {
    const { client } = fakeClient();
    const { connection, dialled } = set(async () => client);
    const loading = deferred<Config>();
    const started = connection.start(() => loading.promise);
    connection.edit({ url: 'ws://mine.example/mqtt' });
    await connection.connect();
    loading.resolve(config);
    await started;
    expect(dialled).toEqual(['ws://mine.example/mqtt']);
    expect(connection.status.value.phase).toBe('connected');
    expect(connection.config.value).toEqual(config);
  });

  it('goes back to the default broker when asked', async () => {
    const first = fakeClient();
    const second = fakeClient();
    let up = false;
    const { connection, deps } = set(({ url }) => {
      if (url === embeddedUrl) return Promise.resolve(first.client);
      return up ? Promise.resolve(second.client) : reject(down);
    });
    await connection.start(async () => config);
    up = true;
    await connection.connectByDefault();
    expect(first.end).toHaveBeenCalled();
    expect(deps.onGone).toHaveBeenCalledTimes(1);
    expect(connection.client.value).toBe(second.client);
    expect(connection.settings.value.url).toBe(publicUrl);
    expect(connection.notice.value).toBeUndefined();
  });
});

describe('while the client’s program loads', () => {
  const crashed: Failure = { code: 'crashed', message: 'mqttwasm.wasm answered 503' };

  it('says so, and blames no broker', async () => {
    vi.useFakeTimers();
    try {
      const loading = deferred<void>();
      const { connection, dialled } = set(
        ({ signal }) =>
          new Promise((_, no) => {
            signal?.addEventListener('abort', () => no({ code: 'aborted', message: 'the signal' }));
          }),
        undefined,
        () => loading.promise,
      );
      void connection.start(async () => config);
      await vi.advanceTimersByTimeAsync(60_000);
      expect(connection.status.value).toEqual({ phase: 'connecting', url: publicUrl, loading: true });
      expect(connection.notice.value).toBeUndefined();

      loading.resolve();
      await vi.advanceTimersByTimeAsync(3299);
      expect(connection.status.value).toEqual({ phase: 'connecting', url: publicUrl });
      await vi.advanceTimersByTimeAsync(1);
      expect(dialled).toEqual([publicUrl, embeddedUrl]);
      expect(connection.notice.value?.detail).toBe('no answer within 3.3 s');
    } finally {
      vi.useRealTimers();
    }
  });

  it('a program that can’t be loaded is told as such, and asked for again', async () => {
    const { client } = fakeClient();
    let there = false;
    const { connection, deps, dialled } = set(
      () => (there ? Promise.resolve(client) : reject(crashed)),
      undefined,
      () => (there ? Promise.resolve() : Promise.reject(crashed)),
    );
    await connection.start(async () => config);
    expect(dialled).toEqual([publicUrl]); // the embedded broker needs the program too
    expect(connection.status.value.phase).toBe('disconnected');
    expect(connection.notice.value).toMatchObject({
      title: 'The client’s program could not be loaded',
      detail: crashed.message,
    });
    expect(deps.survey).not.toHaveBeenCalled();

    there = true;
    await connection.notice.value?.again?.();
    expect(connection.status.value).toEqual({ phase: 'connected', url: publicUrl });
    expect(connection.notice.value).toBeUndefined();
  });

  it('a program that ended later is another thing', async () => {
    const { connection } = set(() => reject(crashed));
    connection.edit({ url: publicUrl });
    await connection.connect();
    expect(connection.notice.value?.title).toBe('The client’s program ended');
    expect(connection.notice.value?.again).toBeUndefined();
  });

  it('what was given up meanwhile is not taken up again', async () => {
    const loading = deferred<void>();
    const { connection } = set(
      ({ signal }) =>
        new Promise((_, no) => {
          signal?.addEventListener('abort', () => no({ code: 'aborted', message: 'the signal' }));
        }),
      undefined,
      () => loading.promise,
    );
    connection.edit({ url: publicUrl });
    const connecting = connection.connect();
    connection.disconnect();
    await connecting;
    loading.resolve();
    await loading.promise;
    expect(connection.status.value.phase).toBe('disconnected');
  });
});

describe('by hand', () => {
  it('is connected only once the first subscriptions are made', async () => {
    const { client } = fakeClient();
    const { connection, deps } = set(async () => client);
    const subscribing = deferred<void>();
    deps.onClient.mockReturnValue(subscribing.promise);
    connection.edit({ url: publicUrl, username: 'me', password: 'secret' });
    const connecting = connection.connect();
    await vi.waitFor(() => expect(deps.onClient).toHaveBeenCalled());
    expect(connection.status.value.phase).toBe('connecting');
    subscribing.resolve(undefined);
    await connecting;
    expect(connection.status.value.phase).toBe('connected');
    expect(deps.connect.mock.calls[0]?.[0]).toMatchObject({
      username: 'me',
      password: 'secret',
      clean: true,
    });
    expect(deps.connect.mock.calls[0]?.[0]).not.toHaveProperty('clientId');
  });

  it('shows a bad setting at its field, until that is edited', async () => {
    const { connection } = set(() =>
      reject({ code: 'bad-option', message: 'url: not an address', field: 'url' }),
    );
    connection.edit({ url: 'nonsense' });
    await connection.connect();
    expect(connection.fieldErrors.value).toEqual({ url: 'Not an address' });
    expect(connection.notice.value).toBeUndefined();
    connection.edit({ keepalive: '5' });
    expect(connection.fieldErrors.value).toEqual({ url: 'Not an address' });
    connection.edit({ url: 'ws://' });
    expect(connection.fieldErrors.value).toEqual({});
  });

  it('does not look around when the broker itself said why', async () => {
    const { connection, deps } = set(() => reject({ code: 'refused', message: 'no', reasonCode: 0x86 }));
    connection.edit({ url: publicUrl });
    await connection.connect();
    expect(connection.notice.value).toMatchObject({ tone: 'error', detail: 'Broker’s reason 0x86' });
    expect(deps.survey).not.toHaveBeenCalled();
  });

  it('disconnecting while connecting wins, also over a connection that comes late', async () => {
    const late = fakeClient();
    const dialling = deferred<Client>();
    const { connection, deps } = set(() => dialling.promise);
    connection.edit({ url: publicUrl });
    const connecting = connection.connect();
    connection.disconnect();
    expect(deps.connect.mock.calls[0]?.[0].signal?.aborted).toBe(true);
    dialling.resolve(late.client);
    await connecting;
    expect(late.end).toHaveBeenCalledWith(true);
    expect(connection.status.value.phase).toBe('disconnected');
    expect(connection.client.value).toBeUndefined();
  });

  it('a stale explanation does not return', async () => {
    const looking = deferred<Surroundings>();
    const { connection } = set(
      () => reject(down),
      () => looking.promise,
    );
    connection.edit({ url: publicUrl });
    await connection.connect();
    connection.dismiss();
    looking.resolve({ url: publicUrl, page, reach: 'silent' });
    await looking.promise;
    expect(connection.notice.value).toBeUndefined();
  });
});

describe('afterwards', () => {
  async function connected() {
    const fake = fakeClient();
    const made = set(async () => fake.client);
    made.connection.edit({ url: publicUrl });
    await made.connection.connect();
    return { ...made, ...fake };
  }

  it('follows a reconnect, with the broker’s reason on show meanwhile', async () => {
    const { connection, emit } = await connected();
    emit('disconnect', { reasonCode: 0x8b, reasonString: 'upgrade' });
    emit('close', undefined);
    expect(connection.status.value.phase).toBe('reconnecting');
    expect(connection.notice.value).toMatchObject({
      tone: 'warning',
      title: 'The connection was lost. The broker is shutting down',
      detail: 'Broker’s reason 0x8B: “upgrade”',
    });
    emit('reconnect', { attempt: 2, delay: 10 });
    expect(connection.status.value.attempt).toBe(2);
    emit('connect', undefined as never);
    expect(connection.status.value).toEqual({ phase: 'connected', url: publicUrl });
    expect(connection.notice.value).toBeUndefined();
  });

  it('looks around once for a row of failures', async () => {
    const { connection, emit, deps } = await connected();
    for (let attempt = 0; attempt < 3; attempt++) {
      emit('close', down as never);
      await vi.waitFor(() => expect(connection.notice.value?.title).toMatch(/Nothing answers/));
    }
    expect(deps.survey).toHaveBeenCalledTimes(1);
  });

  it('ends with the client, and says why', async () => {
    const { connection, emit, deps } = await connected();
    emit('end', { code: 'disconnected', message: 'gone', reasonCode: 0x8e } as never);
    expect(connection.status.value.phase).toBe('disconnected');
    expect(connection.client.value).toBeUndefined();
    expect(connection.notice.value?.title).toMatch(/same client ID/);
    expect(deps.onGone).toHaveBeenCalledTimes(1);
  });

  it('hears nothing more of a client it left', async () => {
    const { connection, emit, end } = await connected();
    connection.disconnect();
    emit('close', down as never);
    emit('end', down as never);
    expect(end).toHaveBeenCalled();
    expect(connection.status.value.phase).toBe('disconnected');
    expect(connection.notice.value).toBeUndefined();
  });
});

describe('every option', () => {
  it('reaches the client as filled in', async () => {
    const { client } = fakeClient();
    const { connection, deps } = set(async () => client);
    connection.edit({
      url: publicUrl,
      clean: false,
      sessionExpiryInterval: '3600',
      receiveMaximum: '10',
      maximumPacketSize: '65536',
      topicAliasMaximum: '5',
      autoAssignTopicAlias: true,
      requestResponseInformation: true,
      requestProblemInformation: false,
      userProperties: [
        ['b', '1'],
        ['a', '2'],
        ['b', '1'],
      ],
      shared: true,
      will: {
        topic: 'gone',
        payload: 'bye',
        qos: 1,
        retain: true,
        willDelayInterval: '5',
        properties: { ...plainSettings.will.properties, contentType: 'text/plain' },
      },
    });
    await connection.connect();
    expect(deps.connect.mock.calls[0]?.[0]).toEqual({
      url: publicUrl,
      connectTimeout: 15_000,
      signal: expect.any(AbortSignal),
      keepalive: 60,
      clean: false,
      autoAssignTopicAlias: true,
      shared: true,
      properties: {
        sessionExpiryInterval: 3600,
        receiveMaximum: 10,
        maximumPacketSize: 65_536,
        topicAliasMaximum: 5,
        requestResponseInformation: true,
        requestProblemInformation: false,
        userProperties: [
          ['b', '1'],
          ['a', '2'],
          ['b', '1'],
        ],
      },
      will: {
        topic: 'gone',
        payload: 'bye',
        qos: 1,
        retain: true,
        properties: { contentType: 'text/plain', willDelayInterval: 5 },
      },
    });
  });

  it('that was left empty is left out', async () => {
    const { client } = fakeClient();
    const { connection, deps } = set(async () => client);
    connection.edit({
      url: publicUrl,
      store: true,
      clientId: 'me',
      username: 'u',
      password: 'p',
      scram: true,
    });
    await connection.connect();
    expect(deps.connect.mock.calls[0]?.[0]).toEqual({
      url: publicUrl,
      connectTimeout: 15_000,
      signal: expect.any(AbortSignal),
      keepalive: 60,
      clientId: 'me',
      store: 'indexeddb',
      scram: { username: 'u', password: 'p' },
      properties: {},
    });
  });

  it.each([
    ['properties.receiveMaximum', 'receiveMaximum', { receiveMaximum: '1' }],
    ['will.properties.contentType', 'will.contentType', { will: plainSettings.will }],
    ['scram.password', 'password', { password: 'p' }],
  ])('wrong at %s shows at its field until that is edited', async (field, name, change) => {
    const { connection } = set(() => reject({ code: 'bad-option', message: `${field}: no`, field }));
    connection.edit({ url: publicUrl });
    await connection.connect();
    expect(connection.fieldErrors.value).toEqual({ [name]: 'No' });
    expect(connection.notice.value).toBeUndefined();
    connection.edit(change);
    expect(connection.fieldErrors.value).toEqual({});
  });
});

describe('a link', () => {
  it('to a broker of this server connects by itself', async () => {
    const { client } = fakeClient();
    const { connection, dialled } = set(async () => client);
    await connection.start(async () => config, embeddedUrl);
    expect(dialled).toEqual([embeddedUrl]);
    expect(connection.status.value.phase).toBe('connected');
  });

  it('to any other is asked about first', async () => {
    const { client } = fakeClient();
    const { connection, dialled } = set(async () => client);
    await connection.start(async () => config, 'ws://elsewhere.example/mqtt');
    expect(dialled).toEqual([]);
    expect(connection.status.value.phase).toBe('disconnected');
    expect(connection.notice.value?.title).toContain('ws://elsewhere.example/mqtt');
    await connection.connect();
    expect(dialled).toEqual(['ws://elsewhere.example/mqtt']);
  });
});

it('waits for the next attempt no longer when asked', async () => {
  const { client, emit } = fakeClient();
  const reconnect = vi.fn(async () => {});
  const { connection } = set(async () => Object.assign(client, { reconnect }));
  connection.edit({ url: publicUrl });
  await connection.connect();
  emit('close', undefined);
  emit('reconnect', { attempt: 3, delay: 20_000 });
  expect(connection.status.value.nextAt).toBeGreaterThan(Date.now() + 15_000);
  connection.tryNow();
  expect(reconnect).toHaveBeenCalledTimes(1);
  expect(connection.status.value).toEqual({ phase: 'reconnecting', url: publicUrl, attempt: 3 });
});
