/** A proxy between a client and a broker that forwards only the broker's packets that a test lets pass. */

import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { firstPacket, type Packet } from './scripted';

export interface Gate {
  /** The address the client connects to. */
  url: string;
  /** Decides whether a packet from the broker reaches the client. */
  passes: (packet: Packet) => boolean;
  /** Resolves when the broker has sent this many packets of the type, forwarded or not. */
  answered(type: number, count: number): Promise<void>;
  /** Closes every connection, and refuses new ones until `open`. */
  shut(): void;
  open(): void;
  stop(): Promise<void>;
}

export async function startGate(broker: string): Promise<Gate> {
  let shut = false;
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    perMessageDeflate: false,
    verifyClient: () => !shut,
  });
  await new Promise((resolve) => server.once('listening', resolve));

  const counts = new Map<number, number>();
  const watchers = new Set<() => void>();

  server.on('connection', (client) => {
    const target = new WebSocket(broker, 'mqtt', { perMessageDeflate: false });
    const early: Buffer[] = [];
    client.on('message', (data: Buffer) => {
      if (target.readyState === WebSocket.OPEN) target.send(data);
      else early.push(data);
    });
    target.on('open', () => {
      for (const data of early) target.send(data);
    });
    let unread = Buffer.alloc(0);
    target.on('message', (data: Buffer) => {
      unread = Buffer.concat([unread, data]);
      for (let found = firstPacket(unread); found; found = firstPacket(unread)) {
        const whole = unread.subarray(0, found.size);
        unread = unread.subarray(found.size);
        const { packet } = found;
        counts.set(packet.type, (counts.get(packet.type) ?? 0) + 1);
        if (gate.passes(packet)) client.send(whole);
      }
      for (const watch of [...watchers]) watch();
    });
    for (const [one, other] of [
      [client, target],
      [target, client],
    ] as const) {
      one.on('close', () => other.terminate());
      one.on('error', () => {}); // `close` follows
    }
  });

  const gate: Gate = {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/mqtt`,
    passes: () => true,
    answered: (type, count) =>
      new Promise((resolve) => {
        const watch = () => {
          if ((counts.get(type) ?? 0) < count) return;
          watchers.delete(watch);
          resolve();
        };
        watchers.add(watch);
        watch();
      }),
    shut() {
      shut = true;
      for (const client of server.clients) client.terminate();
    },
    open() {
      shut = false;
    },
    stop: async () => {
      for (const client of server.clients) client.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return gate;
}
