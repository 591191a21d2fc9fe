/**
 * The service worker: the page opens without its server, and is never older
 * than what the server has. The build writes the list of its files into it.
 */

import { routeOf } from './routes';
import { type Build, createStore } from './store';
import type { WorkerScope } from './worker-scope';

declare const __BUILD__: Build;

const worker = self as unknown as WorkerScope;
const build = __BUILD__;
const { scope } = worker.registration;
const store = createStore({ caches, fetch: (request, init) => fetch(request, init), scope, build });

worker.addEventListener('install', (event) => {
  event.waitUntil(
    (async () => {
      await store.fill();
      for (const page of await worker.clients.matchAll({ includeUncontrolled: true })) {
        page.postMessage({ build: build.version });
      }
    })(),
  );
});

// It takes over when the pages of the former one are closed, which use its files until then.
worker.addEventListener('activate', (event) => {
  event.waitUntil(Promise.all([store.dropOthers(), worker.clients.claim()]));
});

worker.addEventListener('fetch', (event) => {
  const route = routeOf(event.request, scope, build.files);
  if (route) event.respondWith(store[route](event.request));
});
