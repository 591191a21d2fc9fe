import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, type Running, start } from './process';
import { collectViolations } from './violations';

export const binary = fileURLToPath(new URL('../../../bin/mqttwasm', import.meta.url));

export interface Server extends Running {
  /** The page's address, such as http://127.0.0.1:4321 */
  url: string;
  /** The embedded broker's WebSocket address. */
  mqtt: string;
  tcpPort: number;
  /** Content security policy violations that browsers have reported so far. */
  violations: readonly string[];
}

/**
 * Starts this project's server with its embedded broker. Its stop() fails if one of its pages or workers
 * violated the content security policy.
 */
export async function startServer(flags: string[] = [], tcpPort?: number): Promise<Server> {
  const port = await freePort();
  const tcp = tcpPort ?? (await freePort());
  const violations = await collectViolations();
  const running = start(binary, [
    ...['-addr', `127.0.0.1:${port}`, '-mqtt-addr', `127.0.0.1:${tcp}`],
    ...['-csp-report', violations.url, ...flags],
  ]);
  const url = `http://127.0.0.1:${port}`;
  await Promise.all([listening(port, running), listening(tcp, running)]);
  return {
    ...running,
    url,
    mqtt: `ws://127.0.0.1:${port}/mqtt`,
    tcpPort: tcp,
    violations: violations.reports,
    stop: async () => {
      await running.stop();
      await violations.end();
    },
  };
}

export interface Mosquitto extends Running {
  mqtt: string;
  tcpPort: number;
}

/** Debian's mosquitto with a WebSocket listener, which binds to every address. */
export async function startMosquitto(wsPort?: number, config: string[] = []): Promise<Mosquitto> {
  const ws = wsPort ?? (await freePort());
  const tcp = await freePort();
  const dir = mkdtempSync(join(tmpdir(), 'mosquitto-'));
  const file = join(dir, 'mosquitto.conf');
  writeFileSync(
    file,
    [
      // mosquitto refuses to start with only a WebSocket listener
      `listener ${tcp} 127.0.0.1`,
      `listener ${ws}`,
      'protocol websockets',
      'allow_anonymous true',
      'log_type all',
      ...config,
      '',
    ].join('\n'),
  );
  const running = start('/usr/sbin/mosquitto', ['-v', '-c', file]);
  await Promise.all([listening(ws, running), listening(tcp, running)]);
  return {
    ...running,
    mqtt: `ws://127.0.0.1:${ws}/mqtt`,
    tcpPort: tcp,
    stop: async () => {
      await running.stop();
      rmSync(dir, { recursive: true });
    },
  };
}

export interface MosquittoTLS extends Running {
  tcpPort: number;
  /** Contains ca.pem, and client.pem and client.key, which the broker accepts. */
  dir: string;
}

/** Debian's mosquitto with only a TLS listener, which requires client certificates. */
export async function startMosquittoTLS(): Promise<MosquittoTLS> {
  const tcp = await freePort();
  const dir = mkdtempSync(join(tmpdir(), 'mosquitto-'));
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  const key = (name: string) => [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'],
    ...['-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.pem`],
  ];
  openssl(...key('ca'));
  for (const name of ['server', 'client']) {
    openssl(...key(name), '-CA', 'ca.pem', '-CAkey', 'ca.key', '-addext', 'subjectAltName=IP:127.0.0.1');
  }
  const lines = [
    'user root',
    `listener ${tcp} 127.0.0.1`,
    ...['cafile ca.pem', 'certfile server.pem', 'keyfile server.key'].map((line) =>
      line.replace(' ', ` ${dir}/`),
    ),
    'require_certificate true',
    'use_identity_as_username true',
    '',
  ];
  writeFileSync(join(dir, 'mosquitto.conf'), lines.join('\n'));
  const running = start('/usr/sbin/mosquitto', ['-v', '-c', join(dir, 'mosquitto.conf')]);
  await listening(tcp, running);
  return {
    ...running,
    tcpPort: tcp,
    dir,
    stop: async () => {
      await running.stop();
      rmSync(dir, { recursive: true });
    },
  };
}

/** Resolves when the port accepts connections; fails when the process has exited. */
async function listening(port: number, running: Running): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (open) return;
    if (running.process.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 20)); // there is no event to wait for
  }
  throw new Error(`nothing listens on port ${port}:\n${running.output()}`);
}
