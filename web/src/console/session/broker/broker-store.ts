/** What the connected broker publishes under $SYS, while it is shown. */

import { batch, signal } from '@preact/signals';
import type { Client, Subscription } from '../../../client';
import { inOneLine, toFailure } from '../../core/failure';
import { createTold } from '../../core/i18n/i18n';
import { createGauges } from './gauges';

export const filter = '$SYS/#';

export type Phase =
  | 'asking'
  /** Subscribed; nothing has arrived yet. */
  | 'granted'
  /** The same, for so long that nothing may ever arrive. */
  | 'silent'
  | 'live'
  | 'failed';

/** Milliseconds that a round of messages takes; a broker publishes all its values at once. */
const round = 250;
/**
 * Milliseconds after which a broker that sends nothing is considered silent. Retained values arrive
 * at once.
 */
const patience = 4000;

export type BrokerStore = ReturnType<typeof createBrokerStore>;

/** `later` calls back once, so many milliseconds later. */
export function createBrokerStore(later: (call: () => void, milliseconds: number) => unknown = setTimeout) {
  const phase = signal<Phase>('asking');
  const problem = createTold();
  /** Changes with each round. */
  const tick = signal(0);
  let gauges = createGauges();
  let seen: Client | undefined;
  let watched: Client | undefined;
  let subscribed: Promise<Subscription | undefined> = Promise.resolve(undefined);
  let watch = 0;
  /** The watch that gathers a round; 0: none. */
  let gathering = 0;

  function gather(mine: number, now: number): void {
    if (gathering === mine) return;
    gathering = mine;
    later(() => {
      if (mine !== watch) return;
      gathering = 0;
      gauges.sample(now);
      batch(() => {
        phase.value = 'live';
        tick.value++;
      });
    }, round);
  }

  /** Subscribes. Earlier values of the same client stay. */
  function start(client: Client): void {
    const mine = ++watch;
    if (seen !== client) gauges = createGauges();
    seen = client;
    batch(() => {
      phase.value = gauges.size > 0 ? 'live' : 'asking';
      problem.value = '';
      tick.value++;
    });
    subscribed = client
      .subscribe(filter, { qos: 0, handlerOnly: true, timeout: 10_000 }, (message) => {
        if (mine !== watch) return;
        gauges.put(message.topic, message.payload);
        gather(mine, message.receivedAt);
      })
      .catch((error: unknown) => {
        if (mine !== watch) return undefined;
        batch(() => {
          phase.value = 'failed';
          problem.value = () => inOneLine(toFailure(error));
        });
        return undefined;
      });
    subscribed.then((subscription) => {
      if (!subscription || mine !== watch || phase.value !== 'asking') return;
      phase.value = 'granted';
      later(() => {
        if (mine === watch && phase.value === 'granted') phase.value = 'silent';
      }, patience);
    });
  }

  /** Unsubscribes, even if the broker has not answered yet. */
  function stop(): void {
    watch++;
    subscribed
      .then((subscription) => subscription?.unsubscribe())
      .catch(() => {
        // The connection is gone, or the client tries again with the next one.
      });
  }

  /** Follows the client whose values are shown, if any. */
  function look(client: Client | undefined): void {
    if (client === watched) return;
    if (watched) stop();
    watched = client;
    if (client) start(client);
  }

  return {
    phase,
    problem,
    tick,
    look,
    get gauges() {
      return gauges;
    },
  };
}
