import { connect, createServer, type Socket } from 'node:net';

export interface Listener {
  port: number;
  accepted(): number;
  stop(): Promise<void>;
}

/** A TCP server that runs `serve` for each connection. */
export async function listen(serve: (socket: Socket) => void): Promise<Listener> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  const server = createServer((socket) => {
    accepted++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {}); // the peer may reset the connection
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
  /** Headers of the first HTTP upgrade request and its response. */
  handshake: Promise<{ request: string; response: string }>;
}

/** Forwards connections to a port and records the handshake. */
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
