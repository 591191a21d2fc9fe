import { describe, expect, it, vi } from 'vitest';
import type { Failure } from '../core/failure';
import type { Config } from './config';
import { config, deferred, down, embeddedUrl, fakeClient, publicUrl, reject, set } from './testing';

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
    // The client's timeout includes loading its program; the broker's own starts after that.
    expect(deps.connect.mock.calls[0]?.[0].connectTimeout).toBe(15_000);
  });

  it('has the full timeout for a default broker without a fallback', async () => {
    const { client } = fakeClient();
    const { connection, deps } = set(async () => client);
    const [embedded] = config.brokers.filter((broker) => broker.embedded);
    await connection.start(async () => ({ version: '1', brokers: embedded ? [embedded] : [] }));
    expect(deps.connect.mock.calls[0]?.[0].connectTimeout).toBe(15_000);
  });

  it('gives up on the default broker in time, even before the program has loaded', async () => {
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

  it('falls back to the embedded broker if the default one is unreachable, and says so', async () => {
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

    // The connect event of the first connection keeps the notice.
    emit('connect', undefined as never);
    expect(connection.notice.value?.tone).toBe('warning');
  });

  it('reports that neither can be reached', async () => {
    const { connection } = set(() => reject(down));
    await connection.start(async () => config);
    expect(connection.status.value.phase).toBe('disconnected');
    expect(connection.notice.value?.title).toMatch(/^Neither .* can be reached/);
  });

  it('does not fall back from a private default to a public broker', async () => {
    const inside = { name: 'inside', url: 'ws://10.0.0.5:8083/mqtt', default: true };
    const outside = { name: 'outside', url: publicUrl, embedded: true };
    const { connection, dialled } = set(() => reject(down));
    await connection.start(async () => ({ version: '', brokers: [outside, inside] }));
    expect(dialled).toEqual([inside.url]);
    expect(connection.notice.value?.tone).toBe('error');
  });

  it('connects to nothing if the list of brokers can’t be read', async () => {
    const { connection, dialled } = set(() => reject(down));
    await connection.start(async () => Promise.reject(new Error('the server answered 502')));
    expect(dialled).toEqual([]);
    expect(connection.notice.value?.detail).toBe('config.json: the server answered 502');
    expect(connection.status.value.phase).toBe('disconnected');
  });

  it('does not override a connection started by the user', async () => {
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

  it('sends what is typed for another broker to neither', async () => {
    const mine = { url: 'wss://plant.example/mqtt', username: 'me', password: 'pa55', clientId: 'valve' };
    const { connection, deps } = set(({ url }) =>
      url === publicUrl ? reject(down) : Promise.resolve(fakeClient().client),
    );
    connection.edit({
      ...mine,
      will: { ...connection.settings.value.will, topic: 'plant', payload: 'down' },
    });
    await connection.start(async () => config);
    await connection.connectByDefault();
    expect(deps.connect).toHaveBeenCalledTimes(4);
    for (const [options] of deps.connect.mock.calls) {
      expect(options).not.toHaveProperty('username');
      expect(options).not.toHaveProperty('password');
      expect(options).not.toHaveProperty('clientId');
      expect(options).not.toHaveProperty('will');
    }
    expect(connection.settings.value).toMatchObject(mine);
    expect(connection.edited.value).toBe(true);
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

  it('a program that fails to load is reported as such, and requested again', async () => {
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

  it('a program that crashes later is reported differently', async () => {
    const { connection } = set(() => reject(crashed));
    connection.edit({ url: publicUrl });
    await connection.connect();
    expect(connection.notice.value?.title).toBe('The client’s program ended');
    expect(connection.notice.value?.again).toBeUndefined();
  });

  it('a connection given up meanwhile is not resumed', async () => {
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
