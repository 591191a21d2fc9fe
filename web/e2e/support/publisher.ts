import { once } from 'node:events';
import WebSocket from 'ws';

export interface Publisher {
  /** Sends QoS 0 PUBLISH packets, all in one WebSocket frame. */
  publish(topic: string, payloads: (string | Uint8Array)[], responseTopic?: string): void;
  close(): void;
}

/** A minimal MQTT 5 client that can only publish, at any rate. */
export async function openPublisher(url: string): Promise<Publisher> {
  const socket = new WebSocket(url, 'mqtt');
  await once(socket, 'open');
  // CONNECT (3.1): MQTT, 5, Clean Start, no keep alive, no properties, empty client ID
  socket.send(packet(0x10, [text('MQTT'), Buffer.from([5, 2, 0, 0, 0]), text('')]));
  const [connack] = (await once(socket, 'message')) as [Buffer];
  if (connack[0] !== 0x20 || connack[3] !== 0) throw new Error(`not a CONNACK: ${connack.toString('hex')}`);
  return {
    publish(topic, payloads, responseTopic) {
      const properties = responseTopic ? Buffer.concat([Buffer.from([8]), text(responseTopic)]) : Buffer.of();
      const head = Buffer.concat([text(topic), Buffer.from([properties.length]), properties]);
      socket.send(Buffer.concat(payloads.map((payload) => packet(0x30, [head, Buffer.from(payload)]))));
    },
    close: () => socket.close(),
  };
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

function packet(first: number, parts: Buffer[]): Buffer {
  const length: number[] = [];
  let rest = parts.reduce((sum, part) => sum + part.length, 0);
  do {
    length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>= 7;
  } while (rest > 0);
  return Buffer.concat([Buffer.from([first, ...length]), ...parts]);
}
