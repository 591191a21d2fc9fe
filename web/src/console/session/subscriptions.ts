/** The topic filters this page listens to. They outlive a connection: the next one gets them too. */

import { batch, type Signal, signal } from '@preact/signals';
import type { Client, QoS, Subscription } from '../../client';
import { atField, type Failure, inOneLine } from '../core/failure';
import { t } from '../core/i18n/i18n';

export interface Entry {
  filter: string;
  /** The QoS asked for. */
  wanted: QoS;
  /** The QoS granted; undefined without a connection and until the broker answers. */
  granted: Signal<QoS | undefined>;
  error: Signal<string>;
  /** Messages that matched, as of the last frame. */
  count: Signal<number>;
  /** The same, as of now. */
  counted: number;
  subscription?: Subscription;
}

/** What to subscribe to. */
export interface Wanted {
  filter: string;
  qos: QoS;
}

export interface Dependencies {
  client(): Client | undefined;
  toFailure(error: unknown): Failure;
  /** Runs `call` soon, at most once a frame. */
  frame(call: () => void): void;
}

const timeout = 10_000;
/** What a new connection waits for its subscriptions before it counts as connected. */
const firstTimeout = 3000;

export type Subscriptions = ReturnType<typeof createSubscriptions>;

export function createSubscriptions(deps: Dependencies, own: string) {
  const draft = signal<Wanted>({ filter: '', qos: 0 });
  const entries = signal<Entry[]>([]);
  const fieldError = signal('');
  const formError = signal('');
  const busy = signal(false);

  const dirty = new Set<Entry>();

  function entryFor(filter: string, wanted: QoS): Entry {
    return { filter, wanted, granted: signal(undefined), error: signal(''), count: signal(0), counted: 0 };
  }

  function flush(): void {
    batch(() => {
      for (const entry of dirty) entry.count.value = entry.counted;
      dirty.clear();
    });
  }

  function count(entry: Entry): void {
    entry.counted++;
    if (dirty.size === 0) deps.frame(flush);
    dirty.add(entry);
  }

  async function open(client: Client, entry: Entry, timeout: number): Promise<void> {
    const subscription = await client.subscribe(entry.filter, { qos: entry.wanted, timeout }, () =>
      count(entry),
    );
    entry.subscription = subscription;
    entry.granted.value = subscription.qos;
    entry.error.value = '';
  }

  function edit(changes: Partial<Wanted>): void {
    batch(() => {
      draft.value = { ...draft.value, ...changes };
      fieldError.value = '';
      formError.value = '';
    });
  }

  /** As the form says. The same filter again replaces the subscription (3.8.4). */
  async function subscribe(): Promise<void> {
    const { filter, qos } = draft.value;
    const client = deps.client();
    fieldError.value = '';
    formError.value = client ? '' : t('Not connected to a broker');
    if (!client || busy.value) return;

    busy.value = true;
    try {
      const before = entries.value.find((entry) => entry.filter === filter);
      const entry = entryFor(filter, qos);
      await open(client, entry, timeout);
      if (before) {
        entries.value = entries.value.map((other) => (other === before ? entry : other));
        // The client tells the broker nothing while the new one has the filter.
        before.subscription?.unsubscribe().catch(() => {});
      } else {
        entries.value = [...entries.value, entry];
      }
      if (draft.value.filter === filter) edit({ filter: '' });
    } catch (error) {
      const failure = deps.toFailure(error);
      if (failure.field === undefined) formError.value = inOneLine(failure);
      else fieldError.value = atField(failure);
    } finally {
      busy.value = false;
    }
  }

  /** For the next connection. */
  function prepare(wanted: Wanted[]): void {
    const others = wanted.filter(({ filter }) => entries.value.every((entry) => entry.filter !== filter));
    entries.value = [...entries.value, ...others.map(({ filter, qos }) => entryFor(filter, qos))];
  }

  async function unsubscribe(entry: Entry): Promise<void> {
    try {
      if (deps.client() && entry.granted.value !== undefined)
        await entry.subscription?.unsubscribe({ timeout });
      entries.value = entries.value.filter((other) => other !== entry);
    } catch (error) {
      entry.error.value = t('Still subscribed: {why}', { why: inOneLine(deps.toFailure(error)) });
    }
  }

  /** Subscribes everything on a new connection. Settles in any case. */
  async function onClient(client: Client): Promise<void> {
    await Promise.all(
      entries.value.map((entry) =>
        open(client, entry, firstTimeout).catch((error: unknown) => {
          entry.error.value = t('Not subscribed: {why}', { why: inOneLine(deps.toFailure(error)) });
        }),
      ),
    );
  }

  function onGone(): void {
    batch(() => {
      for (const entry of entries.value) entry.granted.value = undefined;
    });
  }

  // QoS 2, so that the page's own messages come back as they were sent.
  entries.value = [entryFor(own, 2)];

  return {
    draft,
    entries,
    fieldError,
    formError,
    busy,
    edit,
    subscribe,
    prepare,
    unsubscribe,
    onClient,
    onGone,
  };
}
