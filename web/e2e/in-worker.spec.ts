/** The library in an application's own worker, where there is no document. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@playwright/test';
import { type Mosquitto, type Server, startMosquitto, startServer } from './support/brokers';

let server: Server;
let mosquitto: Mosquitto;
let origin: string;

const script = `
  onmessage = async ({ data: { url, worker } }) => {
    const { connect } = await import('/mqttwasm.js');
    const client = await connect(url, { worker });
    const messages = await client.subscribe('in/worker');
    client.publish('in/worker', 'messages: 1');
    for await (const { topic, payload } of messages) {
      await client.end();
      postMessage(topic + ' ' + new TextDecoder().decode(payload));
    }
  };
  onunhandledrejection = ({ reason }) => postMessage(String(reason));
`;

/** An application's site, which also serves the library's files. */
const site = createServer(async ({ url = '/' }, answer) => {
  if (url === '/') return answer.setHeader('Content-Type', 'text/html').end('<!doctype html>');
  if (url === '/own.js') return answer.setHeader('Content-Type', 'text/javascript').end(script);
  const file = await fetch(server.url + url);
  answer.writeHead(file.status, { 'Content-Type': file.headers.get('Content-Type') ?? '' });
  answer.end(Buffer.from(await file.arrayBuffer()));
});

test.beforeAll(async () => {
  [server, mosquitto] = await Promise.all([startServer(), startMosquitto()]);
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
});
test.afterAll(async () => {
  site.closeAllConnections();
  await Promise.all([server.stop(), mosquitto.stop(), new Promise((resolve) => site.close(resolve))]);
});

for (const [where, worker] of [
  ['a worker of its own', true],
  ['this one', false],
] as const) {
  test(`the program runs in ${where}`, async ({ page }) => {
    await page.goto(origin);
    const said = await page.evaluate(
      (task) =>
        new Promise((resolve) => {
          const worker = new Worker('/own.js', { type: 'module' });
          worker.onmessage = ({ data }) => resolve(data);
          worker.onerror = ({ message }) => resolve(message);
          worker.postMessage(task);
        }),
      { url: mosquitto.mqtt, worker },
    );
    expect(said).toBe('in/worker messages: 1');
  });
}
