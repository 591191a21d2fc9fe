/** Makes the page installable, and detects newer builds of it. */

import { signal } from '@preact/signals';
import { scriptUrl } from '../../client/transport/asset-urls';
import type { News } from './worker-scope';

/** Whether a build other than this page's is ready. */
export const renewed = signal(false);

/** Milliseconds between two questions for a newer build. */
const rest = 60_000;

export function install(): void {
  // Only secure contexts have service workers, and only a build has this one.
  const workers = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  if (!import.meta.env.PROD || !workers) return;
  const own = document.querySelector<HTMLMetaElement>('meta[name="build"]')?.content;
  workers.addEventListener('message', ({ data }: MessageEvent<News>) => {
    renewed.value = data.build !== own;
  });

  async function register(container: ServiceWorkerContainer): Promise<void> {
    const registration = await container.register(scriptUrl(new URL('sw.js', document.baseURI).href));
    let asked = performance.now();
    // Browsers check by themselves when a page is opened, but this one may stay open for days.
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState !== 'visible' || performance.now() - asked < rest) return;
      asked = performance.now();
      registration.update().catch(() => {}); // no network: another time
    });
  }
  // Only once the page has loaded what it needs itself.
  const begin = () =>
    register(workers).catch((error: unknown) =>
      console.debug('The page can’t be kept for offline use:', error),
    );
  if (document.readyState === 'complete') void begin();
  else addEventListener('load', () => void begin(), { once: true });
}
