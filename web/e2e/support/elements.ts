/** Pages with elements, on the server's origin, under the policy in docs/elements.md. */

import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { test as base, expect } from './fixtures';
import { complaintsOf } from './page';

const policy =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; " +
  "connect-src 'self' ws:; require-trusted-types-for 'script'; trusted-types mqttwasm";

const types: Record<string, string> = { html: 'text/html', css: 'text/css', js: 'text/javascript' };

/** Opens this HTML as a page of the server's origin. Returns the errors the browser logs. */
export async function openHtml(page: Page, origin: string, html: string): Promise<string[]> {
  return serve(page, origin, () => html);
}

/** Opens a page with this body that loads the elements. */
export async function openBody(page: Page, origin: string, body: string, lang = 'en'): Promise<string[]> {
  const head =
    '<meta charset="utf-8"><title>Elements</title><script type="module" src="/elements.js"></script>';
  return openHtml(
    page,
    origin,
    `<!doctype html><html lang="${lang}"><head>${head}</head><body>${body}</body></html>`,
  );
}

/** Opens the gallery, with the built elements instead of the package's. */
export async function openGallery(page: Page, origin: string, broker: string): Promise<string[]> {
  const folder = new URL('../../examples/elements/', import.meta.url);
  return serve(
    page,
    origin,
    (name) =>
      readFileSync(new URL(name || 'index.html', folder), 'utf8').replace(
        './node_modules/mqttwasm/dist/elements.js',
        '/elements.js',
      ),
    `?broker=${encodeURIComponent(broker)}`,
  );
}

async function serve(
  page: Page,
  origin: string,
  read: (name: string) => string,
  query = '',
): Promise<string[]> {
  const folder = `${origin}/elements-test/`;
  await page.route(`${folder}**`, (route) => {
    const name = new URL(route.request().url()).pathname.replace('/elements-test/', '');
    const contentType = types[name.split('.')[1] ?? 'html'] ?? '';
    return route.fulfill({ body: read(name), contentType, headers: { 'Content-Security-Policy': policy } });
  });
  const complaints = await complaintsOf(page);
  await page.goto(folder + query);
  return complaints;
}

export const test = base.extend<{ open: (body: string, lang?: string) => Promise<void> }>({
  /** Opens a page with this body; the test fails if the browser logs errors. */
  async open({ page, server }, use) {
    let complaints: string[] = [];
    await use(async (body, lang) => {
      complaints = await openBody(page, server.url, body, lang);
    });
    expect(complaints).toEqual([]);
  },
});

export const part = (page: Page, selector: string, name: string) =>
  page.locator(`${selector} [part~=${name}]`);

/** Records the details of an event that bubbles from the page's elements. */
export async function record(page: Page, event: string): Promise<() => Promise<unknown[]>> {
  await page.evaluate((name) => {
    const all: unknown[] = [];
    Reflect.set(window, name, all);
    document.addEventListener(name, ({ target, detail }: CustomEventInit & Event) => {
      const { code, field, value, topic } = detail;
      all.push(
        JSON.parse(JSON.stringify({ from: (target as Element).localName, code, field, value, topic })),
      );
    });
  }, event);
  return () => page.evaluate((name) => Reflect.get(window, name), event);
}

/** Publishes with the page's own client. */
export const publish = (page: Page, topic: string, payload: string, retain = false) =>
  page.evaluate(
    async ([name, text, keep]) => {
      const { client } = document.querySelector('mqtt-connection') ?? {};
      await client?.publish(name, text, { qos: 1, retain: keep });
    },
    [topic, payload, retain] as const,
  );

export const topicOf = () => `elements/${crypto.randomUUID()}`;
