/** The functions that the benchmark calls in the page: `bench.receive('mqttjs', options)`. */

import { load } from '../contestants';
import type { Open } from '../contestants/contestant';
import type { Name } from '../contestants/names';
import { connectWarm, firstMessage } from './connect';
import { latency } from './latency';
import { publish, publishAcknowledged, wire } from './publish';
import { flood, open, type ReceiveOptions, type Receiving, receive, receiveFrom } from './receive';
import type { Received } from './tally';

/** State kept between calls. */
let receiving: Receiving | undefined;
let flooding: Promise<Received> | undefined;

async function start(client: Open, options: ReceiveOptions): Promise<void> {
  receiving = await open(client, options);
}

function started(): Receiving {
  if (!receiving) throw new Error('call start first');
  return receiving;
}

const works = {
  receive,
  receiveFrom,
  publish,
  publishAcknowledged,
  wire,
  latency,
  connectWarm,
  firstMessage,
  start,
};

type Works = typeof works;

const lost = new Promise<never>((_, reject) => {
  addEventListener('lost', (event) => reject(new Error(`lost: ${(event as CustomEvent<string>).detail}`)));
});

const loading =
  <O, R>(work: (open: Open, options: O) => Promise<R>) =>
  async (name: Name, options: O): Promise<R> =>
    Promise.race([load[name]().then((open) => work(open, options)), lost]);

const bench = {
  ...(Object.fromEntries(
    Object.entries(works).map(([name, work]) => [
      name,
      loading(work as (open: Open, options: unknown) => Promise<unknown>),
    ]),
  ) as unknown as {
    [W in keyof Works]: (name: Name, options: Parameters<Works[W]>[1]) => ReturnType<Works[W]>;
  }),

  count: () => started().tally.count(),
  reached: (messages: number) => started().tally.reached(messages),
  /** Starts the flood; `finish` waits for its end. */
  flood(messages: number): void {
    flooding = flood(started(), messages);
  },
  finish: () => Promise.race([flooding, lost]),
  async close() {
    await started().session.close();
    receiving = undefined;
  },

  /**
   * The longest delay of a timer within the given milliseconds: roughly the longest task, and how long a
   * click would have had to wait.
   */
  async longestWait(milliseconds: number): Promise<number> {
    const interval = 10;
    const end = performance.now() + milliseconds;
    let longest = 0;
    for (let now = performance.now(); now < end; ) {
      const due = now + interval;
      await new Promise((resolve) => setTimeout(resolve, interval));
      now = performance.now();
      longest = Math.max(longest, now - due);
    }
    return longest;
  },
};

export type Bench = typeof bench;

Object.assign(window, { bench });
