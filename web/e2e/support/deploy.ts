import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Host {
  url: string;
  /** Serves a build that differs from the first in its id and page title. */
  deploy(): void;
  /** Accepts requests without responding. */
  hang(): void;
  stop(): Promise<void>;
}

/** A proxy in front of the server that can simulate the deployment of a new build. */
export async function startHost(upstream: string): Promise<Host> {
  let state: 'first' | 'second' | 'silent' = 'first';
  const server = createServer((asked, answer) => {
    if (state === 'silent') return;
    const address = new URL(asked.url ?? '/', upstream);
    // No headers are forwarded, so that the response is complete and uncompressed.
    // Each has a connection of its own, which the server does not close while it is idle.
    const passedOn = request(address, { method: asked.method ?? 'GET', agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const { 'content-length': _, ...headers } = response.headers;
        const body = Buffer.concat(chunks);
        const renamed = state === 'second' && ['/', '/sw.js'].includes(address.pathname);
        answer.writeHead(response.statusCode ?? 502, headers);
        answer.end(renamed ? renew(body.toString()) : body);
      });
    });
    passedOn.on('error', () => answer.destroy());
    passedOn.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    deploy() {
      state = 'second';
    },
    hang() {
      state = 'silent';
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Changes the build id, sixteen hexadecimal digits that both files contain. */
function renew(text: string): string {
  return text
    .replaceAll(/(name="build" content="|theme\.js\?|"version":")[0-9a-f]{16}/g, '$1feedfeedfeedfeed')
    .replace('<title>mqttwasm</title>', '<title>mqttwasm, renewed</title>');
}
