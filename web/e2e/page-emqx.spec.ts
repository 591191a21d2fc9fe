import { expect, test } from '@playwright/test';
import { type Mosquitto, type Server, startMosquitto, startServer } from './support/brokers';
import { launchWith, openConnected, partsOf } from './support/page';
import { type Tap, tap } from './support/tcp';

// The public broker's name resolves to a local mosquitto on the public broker's port.
test.use(launchWith('--host-resolver-rules=MAP broker.emqx.io 127.0.0.1'));

let mosquitto: Mosquitto;
let server: Server;

test.beforeAll(async () => {
  mosquitto = await startMosquitto(8083);
  server = await startServer();
});

test.afterAll(async () => {
  await server?.stop();
  await mosquitto?.stop();
});

test('open the page, click Publish, watch the message arrive from the public broker', async ({ page }) => {
  const sockets: string[] = [];
  page.on('websocket', (socket) => sockets.push(socket.url()));
  await page.goto(server.url);
  const parts = partsOf(page);
  await expect(parts.status).toHaveText('connected ws://broker.emqx.io:8083/mqtt');
  await expect(page).toHaveTitle('mqttwasm');
  await expect(parts.rows).toHaveCount(0);

  const topic = await parts.topic.inputValue();
  expect(topic).toMatch(/^mqttwasm\/[0-9a-f]{8}\/hello$/);
  await parts.publish.click();
  await expect(parts.row(topic, 'messages: 0')).toHaveCount(1);
  await expect(parts.rows).toHaveCount(1);

  expect(sockets).toEqual(['ws://broker.emqx.io:8083/mqtt']);
  // p5: protocol level 5 [MQTT-3.1.2-2]
  await mosquitto.printed(/New client connected from \S+ as mqttwasm_[0-9a-f]+ \(p5,/);
  await mosquitto.printed(new RegExp(`Received PUBLISH from \\S+ \\(d0, q0, r0, m0, '${topic}'`));
});

test.describe('the handshake', () => {
  let wire: Tap;

  test.beforeAll(async () => {
    wire = await tap(8083);
  });

  test.afterAll(() => wire?.stop());

  test('names the broker, the path and the subprotocol mqtt', async ({ playwright }) => {
    const { launchOptions } = launchWith(
      `--host-resolver-rules=MAP broker.emqx.io:8083 127.0.0.1:${wire.port}`,
    );
    const browser = await playwright.chromium.launch(launchOptions);
    await openConnected(await browser.newPage(), server.url);
    const { request, response } = await wire.handshake;
    await browser.close();

    expect(request).toMatch(/^GET \/mqtt HTTP\/1\.1\r\n/);
    expect(request).toMatch(/^host: broker\.emqx\.io:8083\r$/im);
    // [MQTT-6.0.0-3] the client offers it, [MQTT-6.0.0-4] the broker selects it
    expect(request).toMatch(/^sec-websocket-protocol: mqtt\r$/im);
    expect(response).toMatch(/^HTTP\/1\.1 101 /);
    expect(response).toMatch(/^sec-websocket-protocol: mqtt\r$/im);
  });
});
