import { endTopic, lost, type Open, type QoS, type Session } from './contestant';
import { connect, pubacks, publish, pubrel, subscribe, type, walk } from './packets';

/** Bytes buffered in the WebSocket before the publisher has to wait. */
const highWaterMark = 1 << 20;

const decoder = new TextDecoder();

/**
 * The upper bound: a plain WebSocket with just enough MQTT to make a server send. Counts PUBLISH packets by
 * their lengths and acknowledges them.
 */
export const openBare: Open = async ({ url, payloads }, sink) => {
  const socket = new WebSocket(url, 'mqtt');
  socket.binaryType = 'arraybuffer';
  const answers = new Map<number, () => void>(); // for CONNECT and SUBSCRIBE, by packet type of the ack
  const answer = (kind: number) => new Promise<void>((resolve) => answers.set(kind, resolve));
  const waiting = new Map<number, () => void>(); // publishes awaiting their ack, by packet identifier
  let acks: number[] = [];
  let messages = 0;
  let ended = false;
  let bytes = new Uint8Array();
  let unread = new Uint8Array();
  let lastId = 0;

  const u16 = (at: number): number => ((bytes[at] as number) << 8) | (bytes[at + 1] as number);

  function visit(first: number, start: number, end: number): void {
    switch (first >> 4) {
      case type.publish:
        published((first >> 1) & 3, start, end);
        return;
      case type.puback:
      case type.pubcomp:
        waiting.get(u16(start))?.();
        waiting.delete(u16(start));
        return;
      case type.pubrec:
        socket.send(pubrel(u16(start)));
        return;
      default:
        answers.get(first >> 4)?.();
    }
  }

  function published(qos: number, start: number, end: number): void {
    const topicLength = u16(start);
    const afterTopic = start + 2 + topicLength;
    if (qos > 0) acks.push(u16(afterTopic));
    if (payloads) {
      const properties = afterTopic + (qos > 0 ? 2 : 0);
      const payload = bytes.subarray(properties + 1 + (bytes[properties] as number), end);
      sink.message(decoder.decode(bytes.subarray(start + 2, afterTopic)), payload);
    } else if (topicLength === endTopic.length) {
      ended = true;
    } else {
      messages++;
    }
  }

  socket.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => {
    bytes = unread.length > 0 ? joined(unread, new Uint8Array(data)) : new Uint8Array(data);
    const read = walk(bytes, visit);
    unread = read < bytes.length ? bytes.slice(read) : new Uint8Array();
    if (acks.length > 0) {
      socket.send(pubacks(acks));
      acks = [];
    }
    if (messages > 0 || ended) sink.frame(data, messages, ended);
    messages = 0;
    ended = false;
  };

  function drained(done: () => void): void {
    if (socket.bufferedAmount < highWaterMark) done();
    else setTimeout(() => drained(done), 1);
  }

  const session: Session = {
    subscribe(filter, qos) {
      const granted = answer(type.suback);
      socket.send(subscribe(filter, qos));
      return granted;
    },
    publish(topic, payload, qos: QoS, done) {
      lastId = (lastId % 65535) + 1;
      socket.send(publish(topic, payload, qos, lastId));
      if (qos > 0) waiting.set(lastId, done);
      else drained(done);
    },
    close() {
      const closed = new Promise<void>((resolve) => {
        socket.onclose = () => resolve();
      });
      socket.close();
      return closed;
    },
  };

  await new Promise<void>((resolve, reject) => {
    socket.onopen = () => resolve();
    socket.onerror = () => reject(new Error(`no WebSocket at ${url}`));
  });
  const accepted = answer(type.connack);
  socket.send(connect());
  await accepted;
  socket.onclose = ({ code }) => lost(`close code ${code}`);
  return session;
};

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
