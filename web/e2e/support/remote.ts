/**
 * A page in a browser that Playwright does not drive; the test controls it over a WebSocket. A worker's
 * script must have the page's origin, so other requests to that origin are proxied to the server.
 */

import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

export interface RemotePage {
  /**
   * Runs the function in the page; argument and result are passed as JSON. Rejects if it throws or the page
   * is gone.
   */
  evaluate<A, R>(run: (argument: A) => R | Promise<R>, argument: A): Promise<R>;
  /** Resolves when the page has gone. */
  gone: Promise<void>;
}

export interface RemotePages {
  url: string;
  /** Resolves with the next page that opens. */
  opened(): Promise<RemotePage>;
  stop(): Promise<void>;
}

type Answer = { value: unknown } | { error: string };

const page = '<!doctype html><meta charset="utf-8"><title>test</title><script src="/remote.js"></script>';

const script = `
const socket = new WebSocket(location.origin.replace('http', 'ws') + '/remote');
socket.onmessage = async ({ data }) => {
  const { id, source, argument } = JSON.parse(data);
  let answer;
  try {
    answer = { value: await (0, eval)('(' + source + ')')(argument) };
  } catch (error) {
    answer = { error: String(error) };
  }
  socket.send(JSON.stringify({ id, answer }));
};
`;

/** Serves the page at `url`, and proxies other files from the server at `origin`. */
export async function serveRemote(origin: string): Promise<RemotePages> {
  const own: Record<string, [type: string, body: string]> = {
    '/remote.html': ['text/html', page],
    '/remote.js': ['text/javascript', script],
  };
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    const found = own[path];
    if (found) response.setHeader('Content-Type', found[0]).end(found[1]);
    else void passOn(origin + path, response);
  });
  const sockets = new WebSocketServer({ server, path: '/remote' });
  const pages: RemotePage[] = [];
  let opens = (): void => {};
  sockets.on('connection', (socket) => {
    pages.push(remotePage(socket));
    opens();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/remote.html`,
    async opened() {
      for (;;) {
        const next = pages.shift();
        if (next) return next;
        await new Promise<void>((resolve) => {
          opens = resolve;
        });
      }
    },
    async stop() {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function passOn(url: string, response: ServerResponse): Promise<void> {
  try {
    const answer = await fetch(url);
    const type = answer.headers.get('Content-Type');
    if (type) response.setHeader('Content-Type', type);
    const policy = answer.headers.get('Content-Security-Policy');
    if (policy) response.setHeader('Content-Security-Policy', policy); // the worker's own policy
    response.writeHead(answer.status).end(new Uint8Array(await answer.arrayBuffer()));
  } catch (error) {
    response.writeHead(502).end(String(error));
  }
}

function remotePage(socket: WebSocket): RemotePage {
  const calls = new Map<number, (answer: Answer) => void>();
  let last = 0;
  socket.on('message', (data) => {
    const { id, answer } = JSON.parse(String(data)) as { id: number; answer: Answer };
    calls.get(id)?.(answer);
    calls.delete(id);
  });
  socket.on('error', () => {}); // `close` follows
  const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  void gone.then(() => {
    for (const settle of calls.values()) settle({ error: 'the page has gone' });
  });
  return {
    gone,
    evaluate: <A, R>(run: (argument: A) => R | Promise<R>, argument: A) =>
      new Promise<R>((resolve, reject) => {
        const id = ++last;
        calls.set(id, (answer) => {
          if ('error' in answer) reject(new Error(`in the page: ${answer.error}`));
          else resolve(answer.value as R);
        });
        socket.send(JSON.stringify({ id, source: String(run), argument }));
      }),
  };
}
