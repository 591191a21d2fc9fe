/** What the server's headers allow the page, and that violations fail a test. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@playwright/test';
import { startServer } from './support/brokers';
import { openConnected, partsOf } from './support/page';
import { listen } from './support/tcp';

test('a violation of the content security policy fails the test that opened the page', async ({ page }) => {
  const server = await startServer(['-default-broker', 'mqtt']);
  await openConnected(page, server.url);
  const outcomes = await page.evaluate(() => {
    const attempt = (act: () => unknown): string => {
      try {
        act();
        return 'done';
      } catch (error) {
        return (error as Error).name;
      }
    };
    const script = document.createElement('script');
    return {
      html: attempt(() => document.body.insertAdjacentHTML('beforeend', '<b>x</b>')),
      script: attempt(() => Reflect.set(script, 'src', '/mqttwasm.js')),
      worker: attempt(() => new Worker('/mqttwasm.js')),
      policy: attempt(() =>
        (
          globalThis as unknown as { trustedTypes: { createPolicy(name: string, rules: object): void } }
        ).trustedTypes.createPolicy('another', {}),
      ),
    };
  });
  expect(outcomes).toEqual({
    html: 'TypeError',
    script: 'TypeError',
    worker: 'TypeError',
    policy: 'TypeError',
  });
  await expect.poll(() => server.violations.join()).toContain('require-trusted-types-for');
  await expect(server.stop()).rejects.toThrow('require-trusted-types-for');
});

test('the page can reach only pinned brokers', async ({ page }) => {
  const foreign = await listen((socket) => socket.destroy());
  const server = await startServer(['-default-broker', 'mqtt', '-pin-brokers']);
  await openConnected(page, server.url);
  const parts = partsOf(page);
  await parts.url.fill(`ws://127.0.0.1:${foreign.port}/mqtt`);
  await parts.disconnect.click();
  await parts.connect.click();
  await expect(parts.notice).toBeVisible();
  expect(foreign.accepted()).toBe(0);
  await expect.poll(() => server.violations.join()).toContain('connect-src');
  await expect(server.stop()).rejects.toThrow('connect-src');
  await foreign.stop();
});

test('the console works in frames of the origins that -allow-frame names, and in no others', async ({
  page,
}) => {
  let console = '';
  // The strictest embedder policy that a page can have.
  const embedder = createServer((_, answer) => {
    answer.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    answer.setHeader('Content-Type', 'text/html');
    answer.end(`<!doctype html><iframe src="${console}" width="1200" height="700"></iframe>`);
  });
  await new Promise<void>((resolve) => embedder.listen(0, '127.0.0.1', resolve));
  const outer = `http://localhost:${(embedder.address() as AddressInfo).port}`;

  const allowed = await startServer(['-default-broker', 'mqtt', '-allow-frame', outer]);
  console = allowed.url;
  await page.goto(outer);
  const inner = page.frameLocator('iframe');
  await expect(inner.getByRole('status', { name: 'Connection' })).toHaveText(`connected ${allowed.mqtt}`);
  await inner.getByRole('button', { name: 'Publish', exact: true }).click();
  await expect(inner.getByRole('log', { name: 'Messages' })).toContainText('messages: 0');
  await page.goto('about:blank');
  await allowed.stop();

  const forbidden = await startServer(['-default-broker', 'mqtt', '-allow-frame', 'https://a.example']);
  console = forbidden.url;
  await page.goto(outer);
  await expect.poll(() => forbidden.violations.join()).toContain('frame-ancestors');
  await expect(forbidden.stop()).rejects.toThrow('frame-ancestors');
  await new Promise((resolve) => embedder.close(resolve));
});
