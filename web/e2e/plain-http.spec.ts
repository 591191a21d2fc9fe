/** A page that came over plain http, as from a device in the house: no Web Locks, no `crypto.randomUUID`. */

import { expect, test } from '@playwright/test';
import { openApi } from './support/api';
import { startMosquitto, startServer } from './support/brokers';
import { launchWith } from './support/page';
import { serveRemote } from './support/remote';

test.use(launchWith('--host-resolver-rules=MAP plain.test 127.0.0.1'));

for (const options of [
  {},
  { store: 'indexeddb' },
  { shared: true },
  { shared: true, store: 'indexeddb' },
] as const) {
  test(`connects and publishes, ${JSON.stringify(options)}`, async ({ page }) => {
    const [server, mosquitto] = [await startServer(), await startMosquitto()];
    const pages = await serveRemote(server.url);
    try {
      await openApi(page, new URL(pages.url).origin.replace('127.0.0.1', 'plain.test'));
      const outcome = await page.evaluate(
        async ({ url, options }) => {
          const client = await window.mqtt.connect(url, { clientId: 'plain', ...options });
          const { reasonCode } = await client.publish('plain/http', 'x', { qos: 2 });
          await client.end();
          return { isSecureContext, reasonCode };
        },
        { url: mosquitto.mqtt, options },
      );
      expect(outcome).toEqual({ isSecureContext: false, reasonCode: 0 });
    } finally {
      await pages.stop();
      await mosquitto.stop();
      await server.stop();
    }
  });
}
