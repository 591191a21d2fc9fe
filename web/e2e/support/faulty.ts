import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How a file fails to load. */
export type Fault =
  | 'stalls'
  | 'is not found'
  | 'is a page of HTML'
  | 'is cut short'
  | 'breaks off'
  | 'throws';

export const faults: readonly Fault[] = [
  'stalls',
  'is not found',
  'is a page of HTML',
  'is cut short',
  'breaks off',
  'throws',
];

export interface FaultyHost {
  url: string;
  /** Breaks files whose path matches. */
  break(path: RegExp, fault: Fault): void;
  /** Delays files whose path matches by `time` milliseconds. */
  delay(path: RegExp, time: number): void;
  /** Prepends a script to those whose path matches. */
  prefix(path: RegExp, script: string): void;
  /** Removes all faults. */
  mend(): void;
  stop(): Promise<void>;
}

/** Pages without a policy, where tests can run scripts. */
const pages: Record<string, string> = {
  '/plain': '<!doctype html><title>test</title>',
  '/sandbox': '<!doctype html><title>test</title><iframe sandbox="allow-scripts" src="/plain"></iframe>',
};

const html = '<!doctype html><title>Not here</title><p>Sign in to go on.</p>';

/** A proxy in front of the server that simulates a faulty host. */
export async function startFaulty(upstream: string): Promise<FaultyHost> {
  let broken: { path: RegExp; fault: Fault }[] = [];
  let late: { path: RegExp; time: number }[] = [];
  let prefixes: { path: RegExp; script: string }[] = [];
  const timers = new Set<NodeJS.Timeout>();

  async function answer(path: string, response: ServerResponse): Promise<void> {
    // A sandboxed frame has an opaque origin, and needs CORS to load modules.
    response.setHeader('Access-Control-Allow-Origin', '*');
    const page = pages[path];
    if (page !== undefined) {
      response.setHeader('Content-Type', 'text/html').end(page);
      return;
    }
    const fault = broken.find((each) => each.path.test(path))?.fault;
    const time = late.find((each) => each.path.test(path))?.time ?? 0;
    if (time > 0) {
      await new Promise<void>((resolve) => {
        timers.add(setTimeout(resolve, time));
      });
    }
    if (fault === 'stalls') return;
    if (fault === 'is not found') {
      response.writeHead(404, { 'Content-Type': 'text/plain' }).end('not found');
      return;
    }
    if (fault === 'is a page of HTML') {
      response.setHeader('Content-Type', 'text/html').end(html);
      return;
    }
    const found = await fetch(upstream + path);
    const type = found.headers.get('Content-Type');
    if (type) response.setHeader('Content-Type', type);
    response.statusCode = found.status;
    const whole = Buffer.from(await found.arrayBuffer());
    const half = whole.subarray(0, whole.length / 2);
    const script = prefixes.find((each) => each.path.test(path))?.script;
    switch (fault) {
      case 'is cut short':
        response.end(half);
        break;
      case 'breaks off':
        response.setHeader('Content-Length', whole.length);
        response.write(half, () => response.destroy());
        break;
      case 'throws':
        response.end(`throw new Error('not today');\n`);
        break;
      default:
        response.end(script === undefined ? whole : Buffer.concat([Buffer.from(`${script}\n`), whole]));
    }
  }

  const server = createServer((request, response) => {
    answer(new URL(request.url ?? '/', upstream).pathname, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    break: (path, fault) => void broken.push({ path, fault }),
    delay: (path, time) => void late.push({ path, time }),
    prefix: (path, script) => void prefixes.push({ path, script }),
    mend() {
      broken = [];
      late = [];
      prefixes = [];
    },
    stop() {
      for (const timer of timers) clearTimeout(timer);
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
