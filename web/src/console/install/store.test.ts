import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createStore, patience } from './store';

const scope = 'https://host.example/';
const asset = (version: string) => `assets/index-${version}.js`;
const page = (version: string) => `<meta name="build" content="${version}">`;

/** The part of CacheStorage that the store uses. */
function fakeCaches() {
  const stores = new Map<string, Map<string, Response>>();
  const addressOf = (key: Request | string) => (typeof key === 'string' ? key : key.url);
  const open = async (name: string) => {
    const store = stores.get(name) ?? new Map<string, Response>();
    stores.set(name, store);
    return {
      match: async (key: Request | string) => store.get(addressOf(key))?.clone(),
      put: async (key: Request | string, response: Response) => void store.set(addressOf(key), response),
      addAll: async (keys: Request[]) => {
        for (const key of keys) {
          const response = await server.fetch(key);
          if (!response.ok) throw new TypeError('a file is missing');
          store.set(key.url, response);
        }
      },
    };
  };
  const caches = {
    open,
    keys: async () => [...stores.keys()],
    delete: async (name: string) => stores.delete(name),
  };
  return { caches: caches as unknown as CacheStorage, names: () => [...stores.keys()] };
}

/** The page's host, which serves one build, and may fail to respond. */
const server = {
  version: 'one',
  brokers: '["a"]',
  state: 'up' as 'up' | 'down' | 'silent' | 'broken',
  asked: [] as string[],
  async fetch(request: Request | string): Promise<Response> {
    const url = typeof request === 'string' ? request : request.url;
    server.asked.push(url.slice(scope.length));
    if (server.state === 'down') throw new TypeError('Failed to fetch');
    if (server.state === 'silent') return new Promise(() => {});
    if (server.state === 'broken') return new Response('bad gateway', { status: 502 });
    const files: Record<string, string> = {
      '': page(server.version),
      [asset(server.version)]: `program ${server.version}`,
      'mqttwasm.js': `library ${server.version}`,
      'config.json': server.brokers,
    };
    const body = files[url.slice(scope.length)];
    return body === undefined ? new Response('', { status: 404 }) : new Response(body);
  },
};

let fake: ReturnType<typeof fakeCaches>;

function storeOf(version: string) {
  return createStore({
    caches: fake.caches,
    fetch: server.fetch,
    scope,
    build: { version, files: [asset(version), 'mqttwasm.js'] },
  });
}

const ask = (name: string) => new Request(scope + name);
const text = async (response: Promise<Response>) => (await response).text();

beforeEach(() => {
  vi.useFakeTimers();
  fake = fakeCaches();
  Object.assign(server, { version: 'one', brokers: '["a"]', state: 'up', asked: [] });
});

afterEach(() => {
  vi.useRealTimers();
});

describe('the page', () => {
  it('comes from the server if it responds, even with a copy', async () => {
    const store = storeOf('one');
    await store.fill();
    server.version = 'two';
    expect(await text(store.page(ask('')))).toBe(page('two'));
  });

  it.each(['down', 'broken'] as const)('comes from the copy if the server is %s', async (state) => {
    const store = storeOf('one');
    await store.fill();
    server.state = state;
    expect(await text(store.page(ask('')))).toBe(page('one'));
  });

  it('comes from the copy if the server does not respond in time', async () => {
    const store = storeOf('one');
    await store.fill();
    server.state = 'silent';
    const answer = store.page(ask(''));
    let settled = false;
    void answer.then(() => {
      settled = true;
    });
    await vi.advanceTimersByTimeAsync(patience - 1);
    expect(settled).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await text(answer)).toBe(page('one'));
  });

  it('comes from the copy at once when the server has been silent, until it responds again', async () => {
    const store = storeOf('one');
    await store.fill();
    server.state = 'silent';
    const first = store.page(ask(''));
    await vi.advanceTimersByTimeAsync(patience);
    await first;
    const second = store.config(ask('config.json'));
    await vi.advanceTimersByTimeAsync(0);
    expect(await text(second)).toBe('["a"]');
    Object.assign(server, { state: 'up', version: 'two' });
    const third = store.page(ask(''));
    await vi.advanceTimersByTimeAsync(0);
    await third;
    expect(await text(store.page(ask('')))).toBe(page('two'));
    await vi.advanceTimersByTimeAsync(patience);
    expect(await text(store.page(ask('')))).toBe(page('two'));
  });

  it('comes from the newest copy, even under an older worker', async () => {
    const old = storeOf('one');
    await old.fill();
    server.version = 'two';
    await storeOf('two').fill();
    server.state = 'down';
    expect(await text(old.page(ask('')))).toBe(page('two'));
    expect(await text(old.fixed(ask(asset('two'))))).toBe('program two');
    expect(await text(old.fixed(ask(asset('one'))))).toBe('program one');
  });

  it('fails like the network if nothing is cached', async () => {
    server.state = 'down';
    await expect(storeOf('one').page(ask(''))).rejects.toThrow('Failed to fetch');
    server.state = 'broken';
    expect((await storeOf('one').page(ask(''))).status).toBe(502);
  });
});

describe('filling', () => {
  it('rejects if the server has a new build by then, and never serves a mix', async () => {
    const store = storeOf('one');
    await store.fill();
    const late = createStore({
      caches: fake.caches,
      fetch: server.fetch,
      scope,
      build: { version: 'two', files: ['mqttwasm.js'] },
    });
    server.version = 'three';
    await expect(late.fill()).rejects.toThrow('no longer has build two');
    server.state = 'down';
    expect(await text(store.page(ask('')))).toBe(page('one'));
  });

  it('rejects when a part is missing', async () => {
    await expect(storeOf('two').fill()).rejects.toThrow();
  });

  it('keeps only its own build and the list of brokers', async () => {
    await (await fake.caches.open('another page')).put('x', new Response());
    await storeOf('one').fill();
    server.version = 'two';
    const store = storeOf('two');
    await store.fill();
    await store.dropOthers();
    expect(fake.names().sort()).toEqual([
      'another page',
      `mqttwasm ${scope} build two`,
      `mqttwasm ${scope} config`,
    ]);
  });
});

it('a part is requested only once', async () => {
  const store = storeOf('one');
  await store.fill();
  server.asked = [];
  expect(await text(store.fixed(ask(asset('one'))))).toBe('program one');
  expect(server.asked).toEqual([]);
});

it('a file with a fixed name comes from the server, or from the copy', async () => {
  const store = storeOf('one');
  await store.fill();
  server.version = 'two';
  expect(await text(store.named(ask('mqttwasm.js')))).toBe('library two');
  server.state = 'down';
  expect(await text(store.named(ask('mqttwasm.js')))).toBe('library one');
});

it('the list of brokers is the last one known', async () => {
  const store = storeOf('one');
  await store.fill();
  server.state = 'down';
  expect(await text(store.config(ask('config.json')))).toBe('["a"]');
  Object.assign(server, { state: 'up', brokers: '["b"]' });
  expect(await text(store.config(ask('config.json')))).toBe('["b"]');
  server.state = 'down';
  expect(await text(store.config(ask('config.json')))).toBe('["b"]');
});
