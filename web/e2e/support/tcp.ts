import { connect, createServer, type Socket } from 'node:net';

export interface Listener {
  port: number;
  /** How many connections came in. */
  accepted(): number;
  stop(): Promise<void>;
}

/** A TCP server that does with each connection what `serve` does. */
export async function listen(serve: (socket: Socket) => void): Promise<Listener> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  const server = createServer((socket) => {
    accepted++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {}); // the other side may go as it likes
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    accepted: () => accepted,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

export interface Tap extends Listener {
  /** The head of the first HTTP request that asks for an upgrade, and of its answer. */
  handshake: Promise<{ request: string; response: string }>;
}

/** Passes connections on to a port and reads along. */
export async function tap(port: number): Promise<Tap> {
  let found: (heads: { request: string; response: string }) => void = () => {};
  const handshake = new Promise<{ request: string; response: string }>((resolve) => {
    found = resolve;
  });
  const listener = await listen((socket) => {
    const target = connect(port, '127.0.0.1');
    target.on('error', () => socket.destroy());
    socket.on('close', () => target.destroy());
    target.on('close', () => socket.destroy());
    let request = '';
    let response = '';
    socket.on('data', (bytes) => {
      request += bytes.toString('latin1');
    });
    target.on('data', (bytes) => {
      response += bytes.toString('latin1');
      if (!/^upgrade: websocket/im.test(request) || !response.includes('\r\n\r\n')) return;
      found({ request: headOf(request), response: headOf(response) });
    });
    socket.pipe(target).pipe(socket);
  });
  return { ...listener, handshake };
}

function headOf(http: string): string {
  return http.slice(0, http.indexOf('\r\n\r\n') + 2);
}
