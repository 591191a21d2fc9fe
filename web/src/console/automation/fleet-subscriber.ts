/** The client of a fleet's run that receives what the devices send, so that it can be measured. */

import type { Client, ConnectOptions, Message } from '../../client';
import type { Pair } from '../session/message';
import type { createProblems } from './fleet-figures';
import { filterOf, type Plan } from './fleet-plan';

/** A client, and the socket under it. */
export interface Link {
  client: Pick<Client, 'publish' | 'subscribe' | 'on' | 'end'>;
  /** Ends the connection without DISCONNECT. */
  cut(): void;
}

/** The user property that says which message it is: run, kind or QoS, device, number, time of sending. */
export const property = 'mqttwasm-fleet';

export const label = (run: string, kind: string, device: number, n: number, at: number): Pair => [
  property,
  `${run} ${kind} ${device} ${n} ${at.toFixed(2)}`,
];

/** `arrived` is called with each message of this run, and returns whether it counts. */
export function createSubscriber(
  { topic, script, will }: Plan,
  run: string,
  now: () => number,
  problems: ReturnType<typeof createProblems>,
  arrived: (qos: number, device: number, n: number, sentAt: number, at: number) => boolean,
) {
  let link: Link | undefined;
  let ended = false;
  let wills = 0;
  let gaps = 0;
  let last = 0;

  const wordsOf = ({ properties }: Message): string[] =>
    properties.userProperties?.find(([name]) => name === property)?.[1].split(' ') ?? [];

  function onMessage(message: Message): void {
    const at = now();
    const [from, qos, device, n, sentAt] = wordsOf(message);
    if (from === run && arrived(Number(qos), Number(device), Number(n), Number(sentAt), at)) last = at;
  }

  function onWill(message: Message): void {
    const [from, kind] = wordsOf(message);
    if (from !== run || kind !== 'will') return;
    wills++;
    last = now();
  }

  return {
    /** Rejects if it can't connect or subscribe: without it nothing can be measured. */
    async open(dial: (options: ConnectOptions) => Promise<Link>, options: ConnectOptions): Promise<void> {
      link = await dial({
        ...options,
        clean: true,
        reconnectPeriod: 1000,
        // QoS 1 and 2 wait for it if its connection is lost.
        properties: { ...options.properties, sessionExpiryInterval: 60 },
      });
      const { client } = link;
      client.on('close', (error) => {
        if (ended) return;
        gaps++;
        problems.note('subscriber', error ?? new Error('closed'));
      });
      const how = { qos: 2, rh: 2, handlerOnly: true } as const;
      await client.subscribe(script?.filter ?? filterOf(topic), how, onMessage);
      if (will) await client.subscribe(filterOf(will.topic), how, onWill);
    },
    /** Its client, to be ended: the end of its connection then is no gap. */
    take(): Link | undefined {
      ended = true;
      return link;
    },
    last: () => last,
    counts: () => ({ wills, gaps }),
  };
}
