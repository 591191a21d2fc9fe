import { expect, test } from '@playwright/test';
import { openApi } from './support/api';
import { type Server, startServer } from './support/brokers';

declare global {
  interface Window {
    /** The number of listeners on `window`, `document` and abort signals. */
    listeners(): Record<'window' | 'document' | 'signals', number>;
    abort: AbortController;
  }
}

let server: Server;

test.beforeAll(async () => {
  server = await startServer();
});
test.afterAll(() => server.stop());

test.beforeEach(async ({ page }) => {
  await page.addInitScript(() => {
    const live = new Map<EventTarget, Set<string>>();
    const names = new Map<unknown, number>();
    const nameOf = (type: string, listener: unknown): string => {
      if (!names.has(listener)) names.set(listener, names.size);
      return `${type} ${names.get(listener)}`;
    };
    const { addEventListener, removeEventListener } = EventTarget.prototype;
    EventTarget.prototype.addEventListener = function (this: EventTarget, type: string, ...rest) {
      const target = this ?? window;
      if (!live.has(target)) live.set(target, new Set());
      live.get(target)?.add(nameOf(type, rest[0]));
      addEventListener.call(target, type, ...rest);
    };
    EventTarget.prototype.removeEventListener = function (this: EventTarget, type: string, ...rest) {
      const target = this ?? window;
      live.get(target)?.delete(nameOf(type, rest[0]));
      removeEventListener.call(target, type, ...rest);
    };
    window.listeners = () => {
      const counts = {
        window: live.get(window)?.size ?? 0,
        document: live.get(document)?.size ?? 0,
        signals: 0,
      };
      for (const [target, set] of live) if (target instanceof AbortSignal) counts.signals += set.size;
      return counts;
    };
  });
  await openApi(page, server.url);
});

for (const worker of [true, false]) {
  test(`250 clients that have ended leave no listeners, worker: ${worker}`, async ({ page }) => {
    const { before, during, after } = await page.evaluate(
      async ({ url, worker }) => {
        window.abort = new AbortController();
        const { signal } = window.abort;
        const before = window.listeners();
        const first = await window.mqtt.connect(url, { worker });
        const pending = first.subscribe('some/topic', { signal });
        const during = window.listeners();
        await pending;
        await first.end();
        const comeAndGo = async (round: number) => {
          const client = await window.mqtt.connect(url, { worker, signal });
          if (round % 50 === 0) {
            await client.subscribe('round/+', { qos: 1, signal });
            await client.publish('round/trip', 'x', { qos: 1, signal });
            await window.failure(client.request('no/answer', '', { signal, timeout: 1 }));
          }
          await client.end({ signal });
        };
        // Ten at a time, since each mostly waits for the network.
        const tens = Array.from({ length: 10 }, async (_, first) => {
          for (let round = first; round < 250; round += 10) await comeAndGo(round);
        });
        await Promise.all(tens);
        return { before, during, after: window.listeners() };
      },
      { url: server.mqtt, worker },
    );
    // Listeners are present while a client lives, so the counts mean something.
    expect(during.window).toBeGreaterThan(before.window);
    expect(during.document).toBeGreaterThan(before.document);
    expect(during.signals).toBeGreaterThan(before.signals);
    expect(after).toEqual(before);
    expect(page.workers()).toHaveLength(worker ? 1 : 0);
  });
}
