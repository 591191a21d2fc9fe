import { expect, test } from '@playwright/test';
import { openApi } from './support/api';
import { type Server, startServer } from './support/brokers';

let server: Server;

test.beforeAll(async () => {
  server = await startServer();
});
test.afterAll(() => server.stop());
test.beforeEach(({ page }) => openApi(page, server.url));

for (const engine of [{ worker: true }, { worker: false }, { shared: true }]) {
  test(`every packet is an event: ${JSON.stringify(engine)}`, async ({ page }) => {
    const seen = await page.evaluate(
      async ({ url, engine }) => {
        const client = await window.mqtt.connect(url, { ...engine, packetEvents: true, username: 'me' });
        const seen: string[] = [];
        client.on('packetsend', ({ cmd, fields }) =>
          seen.push(`> ${cmd} ${fields.username ?? fields.topic ?? ''}`.trim()),
        );
        client.on('packetreceive', ({ cmd, fields }) =>
          seen.push(`< ${cmd} ${fields.reasonCode ?? ''}`.trim()),
        );
        await client.publish('packets/a', 'hello', { qos: 2 });
        await client.end();
        return seen;
      },
      { url: server.mqtt, engine },
    );
    expect(seen).toEqual([
      '> connect me',
      '< connack 0',
      '> publish packets/a',
      '< pubrec',
      '> pubrel',
      '< pubcomp',
      '> disconnect',
    ]);
  });
}
