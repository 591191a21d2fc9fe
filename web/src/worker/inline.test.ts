/** The built program on this thread, with a minimal broker. */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import NodeSocket, { WebSocketServer } from 'ws';
import * as scripted from '../../e2e/support/scripted';
import { type Client, connect } from '../client';
import { keptPayloads } from './kept-payloads';

let server: WebSocketServer;
let url: string;
/** Every frame that clients sent. */
let frames: Buffer[];

/** Splits a frame of complete packets of less than 128 bytes each. */
function packets(frame: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < frame.length; ) {
    const end = at + 2 + (frame[at + 1] as number);
    found.push(frame.subarray(at, end));
    at = end;
  }
  return found;
}

function answer(packet: Buffer): Buffer | undefined {
  const identifier = [...packet.subarray(2, 4)];
  switch ((packet[0] as number) >> 4) {
    case 1: // CONNECT → CONNACK
      return Buffer.from([0x20, 3, 0, 0, 0]);
    case 3: // PUBLISH is sent back
      return packet;
    case 8: // SUBSCRIBE → SUBACK
      return Buffer.from([0x90, 4, ...identifier, 0, 0]);
    case 10: // UNSUBSCRIBE → UNSUBACK
      return Buffer.from([0xb0, 4, ...identifier, 0, 0]);
  }
  return undefined;
}

beforeAll(async () => {
  server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('connection', (socket) => {
    socket.on('message', (frame: Buffer) => {
      frames.push(frame);
      for (const packet of packets(frame)) {
        const reply = answer(packet);
        if (reply) socket.send(reply);
      }
    });
  });
  await once(server, 'listening');
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/mqtt`;
});

afterAll(() => {
  for (const socket of server.clients) socket.terminate();
  server.close();
});

async function connectHere(): Promise<Client> {
  frames = [];
  return connect({
    url,
    worker: false,
    WebSocket: NodeSocket,
    clientId: 'me',
  });
}

test('connects, receives its own message, and disconnects, with one frame per packet', async () => {
  const client = await connectHere();
  expect(client.clientId).toBe('me');
  const subscription = await client.subscribe('a/#');
  await client.publish('a/中文', '😀');
  for await (const message of subscription) {
    expect([message.topic, message.text()]).toEqual(['a/中文', '😀']);
    break;
  }
  await client.end();
  expect(frames.map((frame) => (frame[0] as number) >> 4)).toEqual([1, 8, 3, 10, 14]);
});

test('a thousand messages arrive in order', async () => {
  const client = await connectHere();
  const seen: number[] = [];
  const all = new Promise<void>((resolve) => {
    client.on('message', (_topic, payload) => {
      seen.push(Number(new TextDecoder().decode(payload)));
      if (seen.length === 1000) resolve();
    });
  });
  for (let n = 0; n < 1000; n++) void client.publish('a', String(n));
  await all;
  expect(seen).toEqual(Array.from({ length: 1000 }, (_, n) => n));
  await client.end();
});

test('the reason of a DISCONNECT that is immediately followed by a close', async () => {
  const client = await connectHere();
  const reason = new Promise<number>((resolve) => {
    client.on('disconnect', ({ reasonCode }) => resolve(reasonCode));
  });
  for (const socket of server.clients) {
    socket.send(Buffer.from([0xe0, 2, 0x8b, 0]));
    socket.close(1001);
  }
  expect(await reason).toBe(0x8b);
  await client.end(true);
});

test('an address where nothing listens is a network error', async () => {
  const nobody = connect({
    url: 'ws://127.0.0.1:1/mqtt',
    worker: false,
    WebSocket: NodeSocket,
  });
  await expect(nobody).rejects.toMatchObject({ name: 'MqttError', code: 'network' });
});

test('an AbortSignal aborts connecting to a broker that does not respond', async () => {
  const silent = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(silent, 'listening');
  const controller = new AbortController();
  silent.on('connection', (socket) => socket.on('message', () => controller.abort()));
  const port = (silent.address() as AddressInfo).port;
  const connecting = connect(`ws://127.0.0.1:${port}/`, {
    worker: false,
    WebSocket: NodeSocket,
    signal: controller.signal,
  });
  await expect(connecting).rejects.toMatchObject({ code: 'aborted' });
  for (const socket of silent.clients) await once(socket, 'close');
  silent.close();
});

test('large messages arrive unchanged: alone, many in a frame, among small ones, and split', async () => {
  const { type, packet, properties } = scripted;
  const sizes = [40_000, 70_000, 10, 300_000, 33_000, 5, 64_000, 64_000, 1_000_000];
  const payload = (n: number): Buffer => Buffer.alloc(sizes[n] as number, String.fromCharCode(97 + n));
  const publish = (n: number): Buffer =>
    packet(type.publish, 0, Buffer.from([0, 1, 97 + n]), properties(), payload(n));
  const broker = await scripted.startScripted(async (connection) => {
    await connection.expect(type.connect);
    connection.send(scripted.connack());
    const all = sizes.map((_, n) => publish(n));
    for (const [n, one] of all.entries()) if (n < 5) connection.send(one); // one frame each
    connection.send(Buffer.concat(all)); // all in one frame
    const stream = Buffer.concat(all);
    for (let at = 0; at < stream.length; at += 50_001) connection.send(stream.subarray(at, at + 50_001));
    await connection.next().catch(() => {});
  });
  const client = await connect(broker.url, { worker: false, WebSocket: NodeSocket });
  const order = [0, 1, 2, 3, 4, ...sizes.keys(), ...sizes.keys()];
  const seen: [topic: string, whole: boolean][] = [];
  await new Promise<void>((resolve) => {
    client.on('message', (topic, bytes, message) => {
      const n = topic.charCodeAt(0) - 97;
      const whole =
        payload(n).equals(bytes) && message.size === bytes.length + 1 && message.text().length > 0;
      seen.push([topic, whole]);
      if (seen.length === order.length) resolve();
    });
  });
  expect(seen).toEqual(order.map((n) => [String.fromCharCode(97 + n), true]));
  expect(keptPayloads()).toBe(0);
  await client.end(true);
  await broker.stop();
});

test('clients that have ended leave nothing behind', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const held = async (rounds: number): Promise<number> => {
    for (let n = 0; n < rounds; n++) {
      const clients = await Promise.all(Array.from({ length: 15 }, connectHere));
      await Promise.all(clients.map((client) => client.end()));
    }
    await new Promise((resolve) => void setImmediate(resolve));
    collect();
    return process.memoryUsage().arrayBuffers;
  };
  const before = await held(1);
  // Go lets go of what JavaScript gave it only when it collects its own garbage, each 60 clients or so.
  expect(await held(10)).toBeLessThan(before + 40e6);
});
