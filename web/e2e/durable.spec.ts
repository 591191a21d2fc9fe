import { expect, test } from '@playwright/test';
import { keepAwake } from './support/awake';
import { startMosquitto, startServer } from './support/brokers';
import { browserNames, createBrowser } from './support/browsers';
import { startGate } from './support/gate';
import { start } from './support/process';
import { type RemotePage, serveRemote } from './support/remote';
import { type } from './support/scripted';

declare global {
  interface Window {
    durable: import('../src/client').Client;
  }
}

const half = 100;

let stops: (() => Promise<void>)[] = [];

/** Registers `thing` to be stopped after the test, in reverse order. */
function stopping<T extends { stop(): Promise<void> }>(thing: T): T {
  stops.push(() => thing.stop());
  return thing;
}

test.afterEach(async () => {
  for (const stop of stops.reverse()) await stop();
  stops = [];
});

/** Connects with a fixed client identifier, so that the session is resumed. */
function connect(page: RemotePage, url: string): Promise<void> {
  return page.evaluate(
    async ({ library, url }) => {
      const { connect } = (await import(library)) as typeof import('../src/client');
      const options = {
        clientId: 'durable',
        store: 'indexeddb',
        offlineQueue: true,
        reconnectPeriod: 20,
      } as const;
      window.durable = await connect(url, options);
    },
    { library: '/mqttwasm.js', url },
  );
}

/** Publishes half of the messages, numbered from `first`. Resolves when all are stored. */
function store(page: RemotePage, first: number): Promise<void> {
  return page.evaluate(
    async ({ first, half }) => {
      const options = { qos: 2, waitFor: 'stored' } as const;
      const numbers = Array.from({ length: half }, (_, index) => first + index);
      await Promise.all(numbers.map((n) => window.durable.publish(`durable/${n}`, `${n}`, options)));
    },
    { first, half },
  );
}

for (const name of browserNames) {
  for (const event of ['the page is loaded again', 'the browser is killed'] as const) {
    test(`${name}: ${event}, and every message stored before arrives once`, async () => {
      test.setTimeout(120_000); // the browser starts twice
      const mosquitto = stopping(
        // By default mosquitto accepts at most 20 in-flight messages from a client.
        await startMosquitto(undefined, ['max_inflight_messages 0', 'max_queued_messages 0']),
      );
      stopping({ stop: keepAwake(mosquitto.tcpPort) });
      const subscriber = stopping(
        start('mosquitto_sub', [
          ...['-h', '127.0.0.1', '-p', `${mosquitto.tcpPort}`, '-V', 'mqttv5'],
          ...['-i', 'subscriber', '-c', '-x', '3600', '-q', '2', '-t', 'durable/#', '-v'],
          // By default mosquitto_sub limits its Receive Maximum to 20.
          ...['-D', 'connect', 'receive-maximum', '1000'],
        ]),
      );
      await mosquitto.printed(/Sending SUBACK to subscriber/); // mosquitto_sub doesn't report it
      const gate = stopping(await startGate(mosquitto.mqtt));
      const server = stopping(await startServer());
      const pages = stopping(await serveRemote(server.url));
      const browser = stopping(createBrowser(name));

      browser.start(pages.url);
      const before = await pages.opened();
      // The broker has received the whole first half, but only every second PUBREC reaches the client: half
      // of the messages await PUBREC, half PUBCOMP.
      let received = 0;
      gate.passes = ({ type: kind }) => (kind === type.pubrec ? received++ % 2 === 0 : kind !== type.pubcomp);
      await connect(before, gate.url);
      await store(before, 0);
      await gate.answered(type.pubrec, half);
      await gate.answered(type.pubcomp, half / 2);

      gate.shut();
      await before.evaluate(
        () =>
          new Promise<void>((resolve) => {
            if (window.durable.connected) window.durable.once('close', () => resolve());
            else resolve();
          }),
        null,
      );
      await store(before, half);

      if (event === 'the browser is killed') {
        await browser.kill();
        browser.start(pages.url);
      } else {
        await before.evaluate(() => void setTimeout(() => location.reload()), null);
      }
      await before.gone;

      gate.passes = () => true;
      gate.open();
      const after = await pages.opened();
      await connect(after, gate.url);
      // Sent last, so nothing follows it.
      await after.evaluate(async () => {
        await window.durable.publish('durable/end', 'end', { qos: 2 });
        await window.durable.end();
      }, null);
      await subscriber.printed(/^durable\/end end$/m);

      const arrived = [...subscriber.output().matchAll(/^durable\/(\d+) \1$/gm)].map(([, n]) => Number(n));
      const times = (n: number) => arrived.filter((other) => other === n).length;
      const numbers = Array.from({ length: 2 * half }, (_, n) => n);
      expect({
        lost: numbers.filter((n) => times(n) === 0),
        doubled: numbers.filter((n) => times(n) > 1),
      }).toEqual({ lost: [], doubled: [] });
    });
  }
}
