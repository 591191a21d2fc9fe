/**
 * A broker over WebSocket, controlled byte for byte by the test. It records the frames it receives, so that
 * tests see what was really sent.
 */

import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

/** Control Packet types (MQTT 5, 2.1.2). */
export const type = {
  connect: 1,
  connack: 2,
  publish: 3,
  puback: 4,
  pubrec: 5,
  pubrel: 6,
  pubcomp: 7,
  subscribe: 8,
  suback: 9,
  unsubscribe: 10,
  unsuback: 11,
  pingreq: 12,
  pingresp: 13,
  disconnect: 14,
  auth: 15,
} as const;

export interface Packet {
  type: number;
  /** The low four bits of the first byte. */
  flags: number;
  /** What follows the fixed header. */
  body: Buffer;
}

export interface Connection {
  /** Path and query of the address. */
  path: string;
  /** The client's Sec-WebSocket-Protocol. */
  offered: string | undefined;
  /** Every frame received, unchanged. */
  frames: Buffer[];
  /** The next packet, which may span frames or share one. Rejects once the connection is closed. */
  next(): Promise<Packet>;
  /** `next`, which must be of this type. */
  expect(wanted: number): Promise<Packet>;
  /** Sends one frame. */
  send(...parts: Uint8Array[]): void;
  /** Starts a closing handshake, after everything sent. */
  close(): void;
  /** Ends the TCP stream after everything sent, without a closing handshake. */
  hangUp(): void;
  /** Stops reading and responding, like a half-open connection. */
  goSilent(): void;
}

export type Script = (connection: Connection) => Promise<void> | void;

export interface ScriptedBroker {
  url: string;
  /** All so far, oldest first. */
  connections: Connection[];
  /** Also rejects if a script failed. */
  stop(): Promise<void>;
}

/** Runs the script once for every connection. */
export async function startScripted(script: Script): Promise<ScriptedBroker> {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has('mqtt') ? 'mqtt' : false),
  });
  await new Promise((resolve) => server.once('listening', resolve));
  const connections: Connection[] = [];
  const failures: unknown[] = [];
  server.on('connection', async (socket, request) => {
    const connection = open(socket, request);
    connections.push(connection);
    try {
      await script(connection);
    } catch (error) {
      if (!(error instanceof Ended)) failures.push(error);
    }
  });
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/mqtt`,
    connections,
    stop: async () => {
      for (const socket of server.clients) socket.terminate();
      await new Promise((resolve) => server.close(resolve));
      if (failures.length > 0) throw new AggregateError(failures, `the script failed: ${failures[0]}`);
    },
  };
}

/** Thrown when the client has disconnected; not a failure of the script. */
class Ended extends Error {}

function open(socket: WebSocket, request: IncomingMessage): Connection {
  const frames: Buffer[] = [];
  let unread = Buffer.alloc(0);
  let ended = false;
  let changed = () => {};
  socket.on('message', (data: Buffer) => {
    frames.push(data);
    unread = Buffer.concat([unread, data]);
    changed();
  });
  socket.on('close', () => {
    ended = true;
    changed();
  });
  socket.on('error', () => {}); // `close` follows

  async function next(): Promise<Packet> {
    for (;;) {
      const found = firstPacket(unread);
      if (found) {
        unread = unread.subarray(found.size);
        return found.packet;
      }
      if (ended) throw new Ended('the connection has ended');
      await new Promise<void>((resolve) => {
        changed = resolve;
      });
    }
  }

  return {
    path: request.url ?? '',
    offered: request.headers['sec-websocket-protocol'],
    frames,
    next,
    async expect(wanted) {
      const packet = await next();
      if (packet.type !== wanted) throw new Error(`packet type ${packet.type} instead of ${wanted}`);
      return packet;
    },
    send: (...parts) => socket.send(Buffer.concat(parts)),
    close: () => socket.close(),
    hangUp: () => request.socket.end(),
    goSilent: () => socket.pause(),
  };
}

/** The first packet in the bytes, once it is complete. */
export function firstPacket(bytes: Buffer): { packet: Packet; size: number } | undefined {
  let length = 0;
  for (let at = 1; at < Math.min(bytes.length, 5); at++) {
    const byte = bytes[at] as number;
    length += (byte & 0x7f) << (7 * (at - 1));
    if (byte >= 0x80) continue;
    const size = at + 1 + length;
    if (bytes.length < size) return undefined;
    const first = bytes[0] as number;
    return { packet: { type: first >> 4, flags: first & 0xf, body: bytes.subarray(at + 1, size) }, size };
  }
  return undefined;
}

/** Variable Byte Integer (1.5.5). */
export function varint(value: number): Buffer {
  const bytes: number[] = [];
  do {
    bytes.push((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    value >>= 7;
  } while (value > 0);
  return Buffer.from(bytes);
}

export function packet(kind: number, flags: number, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([(kind << 4) | flags]), varint(body.length), body]);
}

/** Properties with their length (2.2.2). */
export function properties(...parts: Uint8Array[]): Buffer {
  const all = Buffer.concat(parts);
  return Buffer.concat([varint(all.length), all]);
}

/** UTF-8 Encoded String, or Binary Data (1.5.4, 1.5.6). */
const text = (value: string | Uint8Array): Buffer => {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
};

/** Property Reason String (3.2.2.3.9, 3.14.2.2.3). */
export const reasonString = (value: string): Buffer => Buffer.concat([Buffer.from([0x1f]), text(value)]);

/** Property Maximum Packet Size (3.2.2.3.6). */
export function maximumPacketSize(bytes: number): Buffer {
  const property = Buffer.from([0x27, 0, 0, 0, 0]);
  property.writeUInt32BE(bytes, 1);
  return property;
}

/** Property Topic Alias Maximum (3.2.2.3.8). */
export const topicAliasMaximum = (count: number): Buffer => Buffer.from([0x22, count >> 8, count & 0xff]);

/** Properties Authentication Method and Authentication Data (3.15.2.2.2, 3.15.2.2.3). */
export const authentication = (method: string, data: string | Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([0x15]), text(method), Buffer.from([0x16]), text(data)]);

export const auth = (reason: number, ...props: Uint8Array[]): Buffer =>
  packet(type.auth, 0, Buffer.from([reason]), properties(...props));

export const connack = (reason = 0, ...props: Uint8Array[]): Buffer =>
  packet(type.connack, 0, Buffer.from([0, reason]), properties(...props));

export const disconnect = (reason: number, ...props: Uint8Array[]): Buffer =>
  packet(type.disconnect, 0, Buffer.from([reason]), properties(...props));

/** Property User Property (3.3.2.3.7). */
export const userProperty = (name: string, value: string): Buffer =>
  Buffer.concat([Buffer.from([0x26]), text(name), text(value)]);

/** At QoS 0. */
export const publish = (topic: string, payload: string, ...props: Uint8Array[]): Buffer =>
  packet(type.publish, 0, text(topic), properties(...props), Buffer.from(payload));

export const topicOf = ({ body }: Packet): string => body.subarray(2, 2 + body.readUInt16BE()).toString();

/** The topic filters of a SUBSCRIBE with property length below 128. */
export function filtersOf({ body }: Packet): string[] {
  const filters: string[] = [];
  // After the packet identifier and the properties.
  for (let at = 3 + (body[2] ?? 0); at < body.length; ) {
    const end = at + 2 + body.readUInt16BE(at);
    filters.push(body.subarray(at + 2, end).toString());
    at = end + 1; // the subscription options
  }
  return filters;
}

/** Accepts and acknowledges everything until the client disconnects. `seen` gets each packet first. */
export async function serve(connection: Connection, seen: (packet: Packet) => void = () => {}) {
  await connection.expect(type.connect);
  connection.send(connack());
  for (;;) {
    const received = await connection.next();
    seen(received);
    const answer = answerTo(received);
    if (answer) connection.send(answer);
  }
}

export function answerTo({ type: kind, flags, body }: Packet): Buffer | undefined {
  switch (kind) {
    case type.publish: {
      const qos = (flags >> 1) & 3;
      if (qos === 0) return undefined;
      const at = 2 + body.readUInt16BE();
      return packet(qos === 1 ? type.puback : type.pubrec, 0, body.subarray(at, at + 2));
    }
    case type.pubrel:
      return packet(type.pubcomp, 0, body.subarray(0, 2));
    case type.subscribe:
      return packet(type.suback, 0, body.subarray(0, 2), properties(), ...granted(body));
    case type.unsubscribe:
      return packet(type.unsuback, 0, body.subarray(0, 2), properties(), Buffer.from([0]));
    case type.pingreq:
      return packet(type.pingresp, 0);
    default:
      return undefined;
  }
}

/** Grants the requested QoS of each filter (3.8.3.1). */
function granted(body: Buffer): Buffer[] {
  const codes: Buffer[] = [];
  for (let at = 3 + (body[2] ?? 0); at < body.length; at++) {
    at += 2 + body.readUInt16BE(at);
    codes.push(Buffer.from([(body[at] as number) & 3]));
  }
  return codes;
}
