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

for (const engine of [{ worker: true }, { worker: false }, { shared: true }]) {
  test(`setPacketEvents turns packet events on and off, and ping is answered: ${JSON.stringify(engine)}`, async ({
    page,
  }) => {
    const { seen, times, failure } = await page.evaluate(
      async ({ url, engine }) => {
        const client = await window.mqtt.connect(url, engine);
        const seen: string[] = [];
        const answered = new Promise<void>((resolve) => {
          client.on('packetreceive', ({ cmd }) => {
            seen.push(cmd);
            if (cmd === 'pingresp') resolve();
          });
        });
        await client.publish('packets/a', 'unseen', { qos: 1 });
        await client.setPacketEvents(true);
        await client.publish('packets/a', 'seen', { qos: 1 });
        const times = await Promise.all([client.ping(), client.ping()]);
        await answered;
        await client.setPacketEvents(false);
        await client.publish('packets/a', 'unseen', { qos: 1 });
        await client.end();
        return { seen, times, failure: await window.failure(client.ping()) };
      },
      { url: server.mqtt, engine },
    );
    expect(seen).toEqual(['puback', 'pingresp']);
    expect(times[0]).toBe(times[1]);
    expect(times[0]).toBeGreaterThan(0);
    expect(times[0]).toBeLessThan(30_000);
    expect(failure).toMatchObject({ name: 'MqttError', code: 'not-connected' });
  });
}
