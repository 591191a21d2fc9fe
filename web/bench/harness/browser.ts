import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { start } from '../../e2e/support/process';
import config from '../../playwright.config';
import type { Bench } from '../page/page';
import { type Cdp, connectCdp } from './cdp';
import { memory } from './memory';
import { tied } from './tied';

/** One browser for the whole benchmark. */
export interface Browser {
  version: string;
  /** Opens a tab, by default in a new context with empty caches. */
  open(url: string, context?: Context): Promise<Page>;
  newContext(): Promise<Context>;
  /** Private memory in megabytes of the browser's largest page process, workers included. */
  memory(): Promise<number>;
  stop(): Promise<void>;
}

export interface Context {
  id: string;
  close(): Promise<void>;
}

export interface Page {
  /** Calls one of the page's functions. */
  call<F extends keyof Bench>(name: F, ...args: Parameters<Bench[F]>): Promise<Awaited<ReturnType<Bench[F]>>>;
  /** The value of a JavaScript expression; a promise is awaited. */
  evaluate<T>(expression: string): Promise<T>;
  /** Seconds since the page started: wall-clock time, and time the main thread was busy. */
  busy(): Promise<{ clock: number; busy: number }>;
  /** In the page and its workers. */
  collectGarbage(): Promise<void>;
  close(): Promise<void>;
}

const flags = [
  '--headless',
  '--remote-debugging-port=0',
  '--no-first-run',
  '--no-default-browser-check',
  '--disable-extensions',
  // Chromium throttles background tabs.
  '--disable-renderer-backgrounding',
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
];

export async function startBrowser(): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'bench-chromium-'));
  const { executablePath = 'chromium', args = [] } = config.use?.launchOptions ?? {};
  const running = tied(
    start(executablePath, [...args, ...flags, `--user-data-dir=${profile}`, 'about:blank']),
  );
  const [, url = ''] = await running.printed(/DevTools listening on (ws:\S+)/);
  const cdp = await connectCdp(url);
  const { product } = await cdp.send<{ product: string }>('Browser.getVersion');

  async function newContext(): Promise<Context> {
    const { browserContextId } = await cdp.send<{ browserContextId: string }>('Target.createBrowserContext');
    return {
      id: browserContextId,
      close: async () => {
        await cdp.send('Target.disposeBrowserContext', { browserContextId });
      },
    };
  }

  return {
    version: product,
    newContext,
    open: (address, context) => openPage(cdp, address, context),
    memory: () => memory(cdp),
    stop: async () => {
      await cdp.send('Browser.close').catch(() => {
        // The browser closes the connection without replying.
      });
      await running.stop();
      // Helper processes may still be writing.
      await rm(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
}

async function openPage(cdp: Cdp, url: string, context?: Context): Promise<Page> {
  const { targetId } = await cdp.send<{ targetId: string }>('Target.createTarget', {
    url: 'about:blank',
    ...(context && { browserContextId: context.id }),
  });
  const { sessionId } = await cdp.send<{ sessionId: string }>('Target.attachToTarget', {
    targetId,
    flatten: true,
  });
  const send = <T>(method: string, parameters: object = {}) => cdp.send<T>(method, parameters, sessionId);
  await send('Page.enable');
  await send('Performance.enable');
  const loaded = new Promise<void>((resolve) => {
    cdp.on('Page.loadEventFired', (_, from) => {
      if (from === sessionId) resolve();
    });
  });
  const workers = new Set<string>();
  cdp.on('Target.attachedToTarget', (attached, from) => {
    if (from === sessionId) workers.add((attached as { sessionId: string }).sessionId);
  });
  cdp.on('Target.detachedFromTarget', (detached, from) => {
    if (from === sessionId) workers.delete((detached as { sessionId: string }).sessionId);
  });
  await send('Page.navigate', { url });
  await loaded;

  async function evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await send<{
      result: { value: T };
      exceptionDetails?: { text: string; exception?: { description?: string } };
    }>('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    if (!exceptionDetails) return result.value;
    throw new Error(`${exceptionDetails.text} ${exceptionDetails.exception?.description ?? ''}`);
  }

  return {
    evaluate,
    call: (name, ...args) => evaluate(`bench.${name}(${args.map((arg) => JSON.stringify(arg)).join()})`),
    async busy() {
      const { metrics } = await send<{ metrics: { name: string; value: number }[] }>(
        'Performance.getMetrics',
      );
      const value = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? Number.NaN;
      return { clock: value('Timestamp'), busy: value('TaskDuration') };
    },
    async collectGarbage() {
      await send('HeapProfiler.collectGarbage');
      // Attach only for this call, so that workers run undisturbed otherwise.
      const attach = { waitForDebuggerOnStart: false, flatten: true };
      await send('Target.setAutoAttach', { ...attach, autoAttach: true });
      await Promise.all([...workers].map((worker) => cdp.send('HeapProfiler.collectGarbage', {}, worker)));
      await send('Target.setAutoAttach', { ...attach, autoAttach: false });
    },
    async close() {
      await cdp.send('Target.closeTarget', { targetId });
    },
  };
}
