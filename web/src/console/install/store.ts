/** What the service worker keeps, and when it uses it. */

/** Milliseconds that the network has before a copy is used, if there is one. */
export const patience = 3000;

export interface Build {
  /** Names the build's content. */
  version: string;
  /** Of the page, relative to it; without `index.html`. */
  files: readonly string[];
}

export interface Dependencies {
  caches: CacheStorage;
  fetch(request: Request | string, init?: RequestInit): Promise<Response>;
  /** The page's address. */
  scope: string;
  build: Build;
}

export function createStore({ caches, fetch, scope, build }: Dependencies) {
  // One origin may hold several such pages, each with caches of its own.
  const family = `mqttwasm ${scope} `;
  const own = `${family}build ${build.version}`;
  const lasting = `${family}config`;
  const config = new URL('config.json', scope).href;
  /** The network has let a request wait for too long, and has answered none since. */
  let silent = false;

  /** Complete builds have the page itself, which is stored last. Newest first. */
  async function complete(): Promise<Cache[]> {
    const found: Cache[] = [];
    for (const name of (await caches.keys()).reverse()) {
      if (!name.startsWith(`${family}build `)) continue;
      const cache = await caches.open(name);
      if (await cache.match(scope)) found.push(cache);
    }
    return found;
  }

  /** From the newest build that has it. */
  async function copyOf(url: string): Promise<Response | undefined> {
    for (const cache of await complete()) {
      const copy = await cache.match(url, { ignoreVary: true });
      if (copy) return copy;
    }
    return undefined;
  }

  /**
   * The network's response, or the copy if there is none in time, or the server fails. Rejects when
   * there is neither.
   */
  async function fresh(
    request: Request | string,
    copy: () => Promise<Response | undefined>,
  ): Promise<Response> {
    const answer = fetch(request, { cache: 'no-cache' });
    const late = new Promise<'late'>((resolve) => {
      setTimeout(() => resolve('late'), silent ? 0 : patience);
    });
    const heard = answer.catch(() => undefined);
    const first = await Promise.race([heard, late]);
    silent = first === 'late';
    if (first !== 'late' && first && first.status < 500) return first;
    void heard.then(() => {
      silent = false;
    });
    return (await copy()) ?? answer;
  }

  /** Rejects when a file is missing, or the server has another build by now. */
  async function fill(): Promise<void> {
    const cache = await caches.open(own);
    const isFixed = (name: string) => name.startsWith('assets/');
    await cache.addAll(
      build.files.map(
        (name) => new Request(new URL(name, scope), { cache: isFixed(name) ? 'default' : 'no-cache' }),
      ),
    );
    // The running page fetched it before the service worker could keep it.
    await fetchConfig(config).catch(() => {});
    const page = await fetch(scope, { cache: 'no-cache' });
    if (!page.ok || !(await page.clone().text()).includes(build.version)) {
      throw new Error(`the server no longer has build ${build.version}`);
    }
    await cache.put(scope, page);
  }

  /** To be called when no page of another build is open. */
  async function dropOthers(): Promise<void> {
    const names = await caches.keys();
    await Promise.all(
      names
        .filter((name) => name.startsWith(`${family}build `) && name !== own)
        .map((name) => caches.delete(name)),
    );
  }

  /** A host may list its brokers, or have no list; both are worth keeping. */
  async function fetchConfig(request: Request | string): Promise<Response> {
    const kept = () => caches.open(lasting).then((cache) => cache.match(config, { ignoreVary: true }));
    const answer = await fresh(request, kept);
    if (answer.ok || answer.status === 404) {
      const cache = await caches.open(lasting);
      await cache.put(config, answer.clone());
    }
    return answer;
  }

  return {
    fill,
    dropOthers,
    page: (request: Request) => fresh(request, () => copyOf(scope)),
    config: fetchConfig,
    named: (request: Request) => fresh(request, () => copyOf(request.url)),
    fixed: async (request: Request) => (await copyOf(request.url)) ?? fetch(request),
  };
}
