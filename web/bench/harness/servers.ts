import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startServer } from '../../e2e/support/brokers';
import { freePort, start } from '../../e2e/support/process';
import { tied } from './tied';

/** A real broker's WebSocket and TCP addresses. */
export interface Broker {
  ws: string;
  tcp: string;
}

export interface Servers {
  /** Origin of the benchmark's page and its assets. */
  url: string;
  /** This project's server, with the console. */
  app: string;
  /** `wide` is a mosquitto with a Receive Maximum of 1,000 instead of the default 20. */
  brokers: { embedded: Broker; mosquitto: Broker; wide: Broker };
  stop(): Promise<void>;
}

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export async function startServers(): Promise<Servers> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const app = tied(await startServer(['-default-broker', 'mqtt', '-allow-origin', url]));
  const flooder = tied(
    start(folder('../../../bin/bench-flooder'), [
      ...['-addr', `127.0.0.1:${port}`, '-app', app.url],
      ...['-page', folder('../dist'), '-peers', folder('../node_modules')],
    ]),
  );
  await flooder.printed(/listening/);
  const mosquitto = await startMosquitto();
  const wide = await startMosquitto(['max_inflight_messages 1000']);
  return {
    url,
    app: app.url,
    brokers: { embedded: { ws: app.mqtt, tcp: `127.0.0.1:${app.tcpPort}` }, mosquitto, wide },
    stop: async () => {
      await Promise.all([flooder.stop(), app.stop(), mosquitto.stop(), wide.stop()]);
    },
  };
}

/** A mosquitto without the per-packet log of the tests' one, and without queue limits. */
async function startMosquitto(more: string[] = []): Promise<Broker & { stop(): Promise<void> }> {
  const [ws, tcp] = [await freePort(), await freePort()];
  const dir = mkdtempSync(join(tmpdir(), 'bench-mosquitto-'));
  const file = join(dir, 'mosquitto.conf');
  const config = [
    `listener ${tcp} 127.0.0.1`,
    `listener ${ws}`,
    'protocol websockets',
    'allow_anonymous true',
    'log_type information', // reports when it is running
    'log_dest stderr',
    'max_queued_messages 0',
    ...more,
  ];
  writeFileSync(file, `${config.join('\n')}\n`);
  const running = tied(start('/usr/sbin/mosquitto', ['-c', file]));
  await running.printed(/mosquitto version .* running/);
  return {
    ws: `ws://127.0.0.1:${ws}/mqtt`,
    tcp: `127.0.0.1:${tcp}`,
    stop: async () => {
      await running.stop();
      rmSync(dir, { recursive: true });
    },
  };
}
