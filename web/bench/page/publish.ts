import type { Open, QoS } from '../contestants/contestant';
import { pump } from './pump';

/** Milliseconds of publishing that don't count. */
const warmUp = 400;

const ignored = { message: () => {}, frame: () => {} };

/** The server's statistics of one connection. */
export interface Stats {
  published: number;
  seconds: number;
  /** Bytes on the TCP connection after the handshake, from and to the client. */
  in: number;
  out: number;
}

/** Waits until the server has counted `published` messages, then resets its statistics. */
export async function takeStats(id: string, published: number): Promise<Stats> {
  const response = await fetch(`/stats?id=${id}&published=${published}&reset`);
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

export interface PublishOptions {
  url: string;
  /** The connection's id in the server's statistics. */
  id: string;
  qos: QoS;
  size: number;
  milliseconds: number;
}

/** Messages a second, as counted by the server. */
export async function publish(
  open: Open,
  { url, id, qos, size, milliseconds }: PublishOptions,
): Promise<number> {
  const session = await open({ url, payloads: false }, ignored);
  const message = { topic: 'bench/publish/000000', payload: 'a'.repeat(size), qos };
  await takeStats(id, await pump(session, { ...message, milliseconds: warmUp }));
  const { published, seconds } = await takeStats(id, await pump(session, { ...message, milliseconds }));
  await session.close();
  return (published - 1) / seconds;
}

/** Messages a second to a server that doesn't count, until the client reports all as done. */
export async function publishAcknowledged(open: Open, options: Omit<PublishOptions, 'id'>): Promise<number> {
  const { url, qos, size, milliseconds } = options;
  const session = await open({ url, payloads: false }, ignored);
  const message = { topic: 'bench/publish/000000', payload: 'a'.repeat(size), qos };
  await pump(session, { ...message, milliseconds: warmUp });
  const begin = performance.now();
  const published = await pump(session, { ...message, milliseconds });
  const seconds = (performance.now() - begin) / 1000;
  await session.close();
  return published / seconds;
}

/** Bytes of a client's packets, with framing: to connect and subscribe, and per publish. */
export async function wire(open: Open, { url, id }: { url: string; id: string }): Promise<number[]> {
  const session = await open({ url, payloads: false }, ignored);
  await session.subscribe('bench/#', 0);
  const hello = await takeStats(id, 0);
  const bytes = [hello.in];
  const count = 1000;
  for (const qos of [0, 1, 2] as const) {
    const sent = await pump(session, { topic: 'bench/publish/000000', payload: 'a'.repeat(64), qos, count });
    bytes.push((await takeStats(id, sent)).in / count);
  }
  await session.close();
  return bytes;
}
