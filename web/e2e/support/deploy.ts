import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Host {
  url: string;
  /** Gives out a build that differs from the first in its name and in the page's title. */
  deploy(): void;
  /** Takes requests and does not answer them. */
  hang(): void;
  stop(): Promise<void>;
}

/** Stands before a server of ours, as whoever puts a newer build into its place. */
export async function startHost(upstream: string): Promise<Host> {
  let state: 'first' | 'second' | 'silent' = 'first';
  const server = createServer((asked, answer) => {
    if (state === 'silent') return;
    const address = new URL(asked.url ?? '/', upstream);
    // No header goes along, so that what comes is whole and not compressed.
    request(address, { method: asked.method ?? 'GET' }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const { 'content-length': _, ...headers } = response.headers;
        const body = Buffer.concat(chunks);
        const renamed = state === 'second' && ['/', '/sw.js'].includes(address.pathname);
        answer.writeHead(response.statusCode ?? 502, headers);
        answer.end(renamed ? renew(body.toString()) : body);
      });
    }).end();
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

/** The build's name is sixteen hexadecimal digits, and in both files. */
function renew(text: string): string {
  return text
    .replaceAll(/(name="build" content="|theme\.js\?|"version":")[0-9a-f]{16}/g, '$1feedfeedfeedfeed')
    .replace('<title>mqttwasm</title>', '<title>mqttwasm, renewed</title>');
}
