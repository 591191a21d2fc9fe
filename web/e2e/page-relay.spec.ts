/** A broker that browsers can't reach directly, through the server's relay. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { type MosquittoTLS, type Server, startMosquittoTLS, startServer } from './support/brokers';
import { openConnected, partsOf } from './support/page';

let mosquitto: MosquittoTLS;
let server: Server;

test.beforeAll(async () => {
  mosquitto = await startMosquittoTLS();
  const address = `mqtts://127.0.0.1:${mosquitto.tcpPort}`;
  const list = join(mosquitto.dir, 'brokers.json');
  const files = { ca: 'ca.pem', cert: 'client.pem', key: 'client.key' };
  writeFileSync(
    list,
    JSON.stringify([
      { name: 'Hall 1, TLS only', relay: { address, ...files } },
      { name: 'No certificate', relay: { address, ca: 'ca.pem' } },
    ]),
  );
  server = await startServer(['-brokers', list, '-pin-brokers']);
});

test.afterAll(async () => {
  await server?.stop();
  await mosquitto?.stop();
});

test('the page picks a relay by itself, connects, publishes and receives', async ({ page }) => {
  const parts = await openConnected(page, server.url);
  await expect(parts.broker).toHaveValue('Hall 1, TLS only');
  await expect(parts.status).toHaveText(
    `connected ${server.url.replace('http', 'ws')}/relay/Hall%201%2C%20TLS%20only`,
  );
  expect(mosquitto.output()).toContain("u'client'");
  await parts.publish.click();
  await expect(parts.row(await parts.topic.inputValue(), 'messages: 0')).toHaveCount(1);
});

test('the page reports that a relay does not reach its broker', async ({ page }) => {
  await openConnected(page, server.url);
  const parts = partsOf(page);
  await parts.disconnect.click();
  await parts.broker.selectOption('No certificate');
  await parts.connect.click();
  await expect(parts.notice).toContainText('A server on the way to the broker could not reach it');
  await expect(parts.notice).toContainText('the relay cannot reach its broker');
});
