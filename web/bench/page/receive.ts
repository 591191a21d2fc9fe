import type { Open, QoS, Session } from '../contestants/contestant';
import { createTally, type Received, type Tally } from './tally';

/** Milliseconds without a message before a flood is given up. */
const patience = 10_000;

export interface ReceiveOptions {
  url: string;
  qos: QoS;
  /** Subscriptions without messages, made before the one that is measured. */
  others?: number;
  receiveMaximum?: number;
}

export interface Receiving {
  session: Session;
  tally: Tally;
}

export async function open(
  open: Open,
  { url, qos, others = 0, receiveMaximum }: ReceiveOptions,
): Promise<Receiving> {
  const tally = createTally();
  const session = await open({ url, payloads: false, ...(receiveMaximum && { receiveMaximum }) }, tally);
  for (let n = 0; n < others; n++) await session.subscribe(`other/${n}/+`, qos);
  await session.subscribe('bench/#', qos);
  return { session, tally };
}

/** Asks the server for `messages` messages; resolves when all have arrived. */
export function flood({ session, tally }: Receiving, messages: number): Promise<Received> {
  const ended = inTime(tally, tally.begin());
  session.publish('bench/start', String(messages), 0, () => {});
  return ended;
}

/** Floods twice: first to get the code compiled, then to measure. */
export async function receive(
  client: Open,
  { messages, warmUp, ...options }: ReceiveOptions & { messages: number; warmUp: number },
): Promise<Received> {
  const receiving = await open(client, options);
  await flood(receiving, warmUp);
  const received = await flood(receiving, messages);
  await receiving.session.close();
  return received;
}

/** Receives from a broker to which another process publishes once `publisher` is fetched. */
export async function receiveFrom(
  client: Open,
  { publisher, ...options }: ReceiveOptions & { publisher: string },
): Promise<Received> {
  const { session, tally } = await open(client, options);
  const ended = inTime(tally, tally.begin());
  const response = await fetch(publisher);
  if (!response.ok) throw new Error(await response.text());
  const received = await ended;
  await session.close();
  return received;
}

/** Rejects when no more messages arrive before the flood's end. */
function inTime(tally: Tally, ended: Promise<Received>): Promise<Received> {
  return new Promise((resolve, reject) => {
    let before = -1;
    const timer = setInterval(() => {
      const count = tally.count();
      if (count > before) {
        before = count;
        return;
      }
      clearInterval(timer);
      reject(new Error(`no end of the flood after ${count} messages`));
    }, patience);
    void ended.then((received) => {
      clearInterval(timer);
      resolve(received);
    });
  });
}
