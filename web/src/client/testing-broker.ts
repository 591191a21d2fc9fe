/** For tests: a broker of a few bytes, which clients in this process reach over a WebSocket. */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import NodeSocket, { WebSocketServer } from 'ws';
import { firstPacket, packet as packetOf } from '../../e2e/support/scripted';
import { connect } from './create-client';
import type { Client, ConnectOptions } from './types';

/** What the broker does with a packet: it returns the answer, if any, or acts on the connection. */
export type React = (packet: Uint8Array, socket: NodeSocket) => Uint8Array | undefined;

export async function startBroker(react: React) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('connection', (socket) => {
    socket.on('message', (frame: Buffer) => {
      // A frame holds whole packets.
      for (
        let at = 0, next = firstPacket(frame);
        next;
        at += next.size, next = firstPacket(frame.subarray(at))
      ) {
        const answer = react(new Uint8Array(frame.subarray(at, at + next.size)), socket);
        if (answer) socket.send(answer);
      }
    });
  });
  await once(server, 'listening');
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/mqtt`;

  return {
    url,
    connect: (options: ConnectOptions = {}): Promise<Client> =>
      connect({ url, worker: false, WebSocket: NodeSocket, ...options }),
    send(packet: Uint8Array): void {
      for (const socket of server.clients) socket.send(packet);
    },
    /** Cuts all connections. */
    cut(): void {
      for (const socket of server.clients) socket.terminate();
    },
    stop(): void {
      for (const socket of server.clients) socket.terminate();
      server.close();
    },
  };
}

/** Of type and flags, for example 0x30 for a PUBLISH of QoS 0. */
export function packet(header: number, ...body: number[]): Uint8Array {
  return packetOf(header >> 4, header & 15, new Uint8Array(body));
}

/** A string with its length, as the body of a packet. */
export function string(text: string): number[] {
  const bytes = new TextEncoder().encode(text);
  return [bytes.length >> 8, bytes.length & 0xff, ...bytes];
}
