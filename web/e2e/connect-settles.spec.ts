/**
 * However the client's program fails to load, and whatever the browser denies it, connect() settles in time.
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type Frame, type Page, test } from '@playwright/test';
import type { ConnectOptions } from '../src/client';
import { type Server, startServer } from './support/brokers';
import { type Fault, type FaultyHost, faults, startFaulty } from './support/faulty';
import { wholeBrowser } from './support/page';
import { type ScriptedBroker, serve, startScripted } from './support/scripted';

declare global {
  interface Window {
    client: import('../src/client').Client;
    /** Its next connection. */
    again: Promise<void>;
  }
}

let server: Server;
let host: FaultyHost;
let broker: ScriptedBroker;
/** Connections that have not ended. */
let open = 0;

test.describe.configure({ mode: 'parallel', timeout: 20_000 });

test.beforeAll(async () => {
  server = await startServer();
  host = await startFaulty(server.url);
  broker = await startScripted(async (connection) => {
    open++;
    try {
      await serve(connection);
    } finally {
      open--;
    }
  });
});
test.afterEach(() => host.mend());
test.afterAll(async () => {
  await broker.stop();
  await host.stop();
  await server.stop();
});

/** Milliseconds. */
const connectTimeout = 2000;
const grace = 1000;

interface Outcome {
  /** `connected`, or the code of the `MqttError` that `connect` rejects with. */
  connect: string;
  /** The same for `createClient`: its events and its final state. */
  createClient: string[];
  /** Milliseconds for both. */
  time: number;
  /** Unhandled errors and rejections. */
  unhandled: string[];
}

/** Makes a client with `connect` and one with `createClient`. */
function outcomeOf(frame: Page | Frame, options: ConnectOptions): Promise<Outcome> {
  return frame.evaluate(
    async ({ library, url, options }) => {
      const unhandled: string[] = [];
      addEventListener('error', (event) => unhandled.push(event.message));
      addEventListener('unhandledrejection', (event) => unhandled.push(String(event.reason)));
      const mqtt = (await import(library)) as typeof import('../src/client');
      const began = performance.now();

      async function connect(): Promise<string> {
        try {
          const client = await mqtt.connect(url, options);
          await client.end();
          return 'connected';
        } catch (error) {
          return error instanceof mqtt.MqttError ? error.code : `not an MqttError: ${error}`;
        }
      }

      async function createClient(): Promise<string[]> {
        const { clientId, ...rest } = options;
        const client = mqtt.createClient(url, { ...rest, ...(clientId && { clientId: `${clientId} 2` }) });
        const outcome = await new Promise<string>((resolve) => {
          client.once('connect', () => resolve('connected'));
          client.once('end', (error) => resolve(`end: ${error?.code}`));
        });
        const { state } = client;
        await client.end();
        return [outcome, state];
      }

      const [first, second] = await Promise.all([connect(), createClient()]);
      const time = performance.now() - began;
      // Unhandled rejections are reported in a task of their own.
      await new Promise((resolve) => setTimeout(resolve));
      return { connect: first, createClient: second, time, unhandled };
    },
    {
      library: `${host.url}/mqttwasm.js`,
      url: broker.url,
      options: { connectTimeout, ...options },
    },
  );
}

const connected = { connect: 'connected', createClient: ['connected', 'connected'] };
const failed = (code: string) => ({
  connect: code,
  createClient: [`end: ${code}`, 'disconnected'],
});

async function expectOutcome(
  frame: Page | Frame,
  options: ConnectOptions,
  expected: Pick<Outcome, 'connect' | 'createClient'>,
): Promise<void> {
  const { time, ...outcome } = await outcomeOf(frame, options);
  expect(outcome).toEqual({ ...expected, unhandled: [] });
  expect(time).toBeLessThan((options.connectTimeout ?? connectTimeout) + grace);
}

const forms = [
  ['a dedicated worker', {}, /\/assets\/dedicated-.*\.js$/],
  ['a shared worker', { shared: true }, /\/assets\/shared-(?!host).*\.js$/],
  ['no worker', { worker: false }, /\/assets\/inline-.*\.js$/],
] as [form: string, options: ConnectOptions, script: RegExp][];

/** Shortens the wait where only the timeout ends it. */
const limited = (fault: Fault, options: ConnectOptions): ConnectOptions =>
  fault === 'stalls' ? { ...options, connectTimeout: 1000 } : options;

/** If a shared worker's script fails to load, the page starts a dedicated worker instead. */
const expectedOf = (fault: Fault, form: string, file: string) => {
  if (fault === 'stalls') return failed('timeout');
  return form === 'a shared worker' && file === 'script' ? connected : failed('crashed');
};

for (const [form, options, script] of forms) {
  for (const fault of faults) {
    test(`${form}, whose script ${fault}: connect settles`, { tag: '@timed' }, async ({ page }) => {
      host.break(script, fault);
      await page.goto(`${host.url}/plain`);
      await expectOutcome(page, limited(fault, options), expectedOf(fault, form, 'script'));
    });

    if (fault === 'throws') continue;
    test(`${form}, whose program ${fault}: connect settles`, { tag: '@timed' }, async ({ page }) => {
      host.break(/\.wasm$/, fault);
      await page.goto(`${host.url}/plain`);
      await expectOutcome(page, limited(fault, options), expectedOf(fault, form, 'wasm'));
    });
  }

  test(`${form}, whose script is slow and whose program stalls: connect has one time limit`, {
    tag: '@timed',
  }, async ({ page }) => {
    host.delay(script, connectTimeout * 0.8);
    host.break(/\.wasm$/, 'stalls');
    await page.goto(`${host.url}/plain`);
    await expectOutcome(page, options, failed('timeout'));
  });

  test(`${form}, after its program failed to load: the next connect succeeds`, async ({ page }) => {
    host.break(/\.wasm$/, 'is not found');
    await page.goto(`${host.url}/plain`);
    const patient = { ...options, connectTimeout: 30_000 };
    await expectOutcome(page, patient, failed('crashed'));
    host.mend();
    expect(await outcomeOf(page, patient)).toMatchObject(connected);
  });

  test(`${form} in a sandboxed frame: connect settles`, { tag: '@timed' }, async ({ page }) => {
    await page.goto(`${host.url}/sandbox`);
    const frame = page.frames()[1] as Frame;
    // A sandboxed frame has an opaque origin, and so no workers.
    await expectOutcome(frame, options, options.worker === false ? connected : failed('crashed'));
  });

  test(`${form} in a sandboxed frame, with a store: connect settles`, { tag: '@timed' }, async ({ page }) => {
    await page.goto(`${host.url}/sandbox`);
    const frame = page.frames()[1] as Frame;
    const expected = failed(options.worker === false ? 'storage' : 'crashed');
    await expectOutcome(frame, { ...options, clientId: 'me', store: 'indexeddb' }, expected);
  });
}

test('a dedicated worker stuck in a loop: its clients end, and the next connect succeeds', async ({
  page,
}) => {
  host.prefix(
    /\/assets\/dedicated-.*\.js$/,
    `addEventListener('message', ({ data }) => { while (data.method === 'ping'); });`,
  );
  await page.goto(`${host.url}/plain`);
  const ended = await page.evaluate(
    async ({ library, url }) => {
      const mqtt = (await import(library)) as typeof import('../src/client');
      const client = await mqtt.connect(url);
      const end = new Promise<string | undefined>((resolve) => {
        client.once('end', (error) => resolve(error?.code));
      });
      const ping = await client.ping({ timeout: 500 }).catch(({ code }) => code);
      return [ping, await end];
    },
    { library: `${host.url}/mqttwasm.js`, url: broker.url },
  );
  expect(ended).toEqual(['timeout', 'crashed']);
  await expectOutcome(page, {}, connected);
});

test('a shared worker, stuck in a loop: all tabs end up on one other worker, and one that comes too', {
  tag: '@timed',
}, async ({ page, context }) => {
  test.setTimeout(60_000);
  /** Milliseconds of the loop. It ends, so that the worker learns that it was given up. */
  const stuck = 15_000;
  host.prefix(
    /\/assets\/shared-(?!host).*\.js$/,
    `addEventListener('connect', ({ ports: [port] }) => port.addEventListener('message', ({ data }) => {
      const end = Date.now() + ${stuck};
      while (data.method === 'ping' && Date.now() < end);
    }));`,
  );
  const join = (tab: Page) =>
    tab.evaluate(
      async ({ library, url }) => {
        const mqtt = (await import(library)) as typeof import('../src/client');
        window.client = await mqtt.connect(url, { shared: true });
        window.again = new Promise((resolve) => void window.client.once('connect', () => resolve()));
      },
      { library: `${host.url}/mqttwasm.js`, url: broker.url },
    );
  const [second, third] = [await context.newPage(), await context.newPage()];
  const tabs = [page, second, third];
  for (const tab of tabs) await tab.goto(`${host.url}/plain`);
  const before = open;
  for (const tab of [page, second]) await join(tab);
  await page.evaluate(() => void window.client.ping({ timeout: 0 }).catch(() => {}));
  const began = performance.now();
  await join(third);
  for (const tab of [page, second]) await tab.evaluate(() => window.again);
  expect(performance.now() - began).toBeLessThan(stuck);
  for (const tab of tabs) await tab.evaluate(async () => void (await window.client.subscribe('x')));
  // The worker that was stuck has its connection until it runs again.
  await expect.poll(() => open - before, { timeout: stuck }).toBe(1);
  for (const tab of tabs) await tab.evaluate(async () => void (await window.client.subscribe('x')));
});

/** It loads beside the worker, so a connection may be there before it. */
const receiving = /\/assets\/receiving-.*\.js$/;

for (const fault of faults) {
  test(`the script that receives messages ${fault}: connect settles`, { tag: '@timed' }, async ({ page }) => {
    host.break(receiving, fault);
    await page.goto(`${host.url}/plain`);
    await expectOutcome(page, limited(fault, {}), failed(fault === 'stalls' ? 'timeout' : 'crashed'));
  });
}

test('after the script that receives messages failed to load: the next connect succeeds', async ({
  page,
}) => {
  host.break(receiving, 'is not found');
  await page.goto(`${host.url}/plain`);
  const patient = { connectTimeout: 30_000 };
  await expectOutcome(page, patient, failed('crashed'));
  host.mend();
  expect(await outcomeOf(page, patient)).toMatchObject(connected);
});

test('a slow script that receives messages does not delay packets being sent', async ({ page }) => {
  host.delay(receiving, 4000);
  await page.goto(`${host.url}/plain`);
  const before = broker.connections.length;
  const outcome = outcomeOf(page, { connectTimeout: 30_000 });
  await expect.poll(() => broker.connections.length - before, { timeout: 3500 }).toBe(2);
  expect(await outcome).toMatchObject(connected);
});

/** The errors that Chromium gives where cookies are blocked. */
const refuseStorage = `{
  const refusal = () => new DOMException('Access is denied for this document.', 'SecurityError');
  Object.defineProperty(LockManager.prototype, 'request', { value: () => Promise.reject(refusal()) });
  Object.defineProperty(IDBFactory.prototype, 'open', { value: () => { throw refusal(); } });
}`;

for (const [form, options] of forms) {
  for (const store of [false, true]) {
    const what = store ? ', with a store' : '';
    test(`${form} without Web Locks and IndexedDB${what}: connect settles`, { tag: '@timed' }, async ({
      page,
    }) => {
      await page.addInitScript(refuseStorage);
      host.prefix(/\/assets\/(dedicated|shared)-.*\.js$/, refuseStorage);
      await page.goto(`${host.url}/plain`);
      const all: ConnectOptions = store ? { ...options, clientId: 'me', store: 'indexeddb' } : options;
      await expectOutcome(page, all, store ? failed('storage') : connected);
    });
  }
}

test.describe('cookies blocked in the browser', () => {
  // The setting is browser-wide, so it needs a profile of its own.
  for (const [form, options] of forms) {
    test(`${form}: connect settles, and reports that a requested store is unavailable`, {
      tag: '@timed',
    }, async ({ playwright }) => {
      const profile = mkdtempSync(join(tmpdir(), 'no-cookies-'));
      mkdirSync(join(profile, 'Default'));
      const preferences = { profile: { default_content_setting_values: { cookies: 2 } } };
      writeFileSync(join(profile, 'Default', 'Preferences'), JSON.stringify(preferences));
      const context = await playwright.chromium.launchPersistentContext(profile, wholeBrowser.launchOptions);
      try {
        const page = await context.newPage();
        await page.goto(`${host.url}/plain`);
        await expect(page.evaluate(() => localStorage.length)).rejects.toThrow('Access is denied');
        await expectOutcome(page, options, connected);
        await expectOutcome(page, { ...options, clientId: 'me', store: 'indexeddb' }, failed('storage'));
      } finally {
        await context.close();
        rmSync(profile, { recursive: true, force: true });
      }
    });
  }
});
