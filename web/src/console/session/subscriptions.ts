/** The page's subscriptions. They outlive a connection: the next one gets them, too. */

import { batch, computed, type Signal, signal } from '@preact/signals';
import type { Client, Message, QoS, Subscription } from '../../client';
import { createTopicIndex } from '../../client/routing/topic-index';
import { atField, inOneLine, mistakeIn, toFailure } from '../core/failure';
import { createTold, type Told, t } from '../core/i18n/i18n';
import { farthestHue } from '../log/colours';
import { filled, numberOf } from './message';
import { defaultRap, requestOf, type Wanted } from './wanted';

export interface Entry {
  readonly filter: string;
  readonly wanted: Signal<Wanted>;
  /** Of its colour: degrees. */
  readonly hue: Signal<number>;
  /** The page's own topic. */
  readonly own: boolean;
  /** Since when messages may match it, in milliseconds since 1970: when it was first requested. */
  since: number;
  /** The QoS granted; undefined without a connection and until the broker answers. */
  readonly granted: Signal<QoS | undefined>;
  readonly error: Told;
  /** Messages that match only this one are left out. */
  readonly paused: Signal<boolean>;
  /** Messages that matched, and those left out since it is paused; as of the last frame. */
  readonly count: Signal<number>;
  readonly hidden: Signal<number>;
  /** The same, as of now. */
  counted: number;
  hid: number;
  subscription?: Subscription;
  /** It was removed or replaced. */
  gone?: true;
}

/** As typed. */
export interface Draft extends Omit<Wanted, 'identifier' | 'rh' | 'hue'> {
  rh?: 0 | 1 | 2;
  identifier?: string;
  hue?: number | undefined;
}

/** What is kept of one for the next page. */
export interface Kept extends Wanted {
  /** The hue that was assigned automatically. */
  auto?: number;
  own?: boolean;
  paused?: boolean;
}

/** What a message shows of a subscription that it matches. */
export interface Source {
  readonly filter: string;
  readonly name: string;
  readonly hue: number;
  /** From when and until when messages may match it, in milliseconds since 1970. */
  readonly since: number;
  readonly until: number;
}

export interface Dependencies {
  client(): Client | undefined;
  /** Whether an attempt to connect is being made; and its client, or undefined when it fails. */
  connecting?(): boolean;
  arriving?(): Promise<Client | undefined> | undefined;
  /** Runs `call` soon, at most once a frame. */
  frame(call: () => void): void;
}

const timeout = 10_000;
/** Milliseconds that a new connection waits for its subscriptions before it counts as connected. */
const firstTimeout = 3000;
/** Subscriptions remembered after they were unsubscribed from. */
const mostFormer = 50;

export type Subscriptions = ReturnType<typeof createSubscriptions>;

export function createSubscriptions(deps: Dependencies, own: string) {
  const draft = signal<Draft>({ filter: '', qos: 0 });
  const entries = signal<Entry[]>([]);
  const fieldError = createTold();
  const identifierError = createTold();
  const formError = createTold();
  const busy = signal(false);
  /** Former subscriptions, whose messages are still in the list. */
  const former = signal<readonly Source[]>([]);

  const dirty = new Set<Entry>();

  const freeHue = () => farthestHue(entries.value.map(({ hue }) => hue.value));

  function entryFor({ auto, own = false, paused = false, ...wanted }: Kept): Entry {
    return {
      filter: wanted.filter,
      wanted: signal(wanted),
      hue: signal(wanted.hue ?? auto ?? freeHue()),
      own,
      since: Number.POSITIVE_INFINITY,
      granted: signal(undefined),
      error: createTold(),
      paused: signal(paused),
      count: signal(0),
      hidden: signal(0),
      counted: 0,
      hid: 0,
    };
  }

  function flush(): void {
    batch(() => {
      for (const entry of dirty) {
        entry.count.value = entry.counted;
        entry.hidden.value = entry.hid;
      }
      dirty.clear();
    });
  }

  function touch(entry: Entry): void {
    const first = dirty.size === 0;
    dirty.add(entry);
    if (first) deps.frame(flush);
  }

  /** By topic filter, those that messages may match; undefined if none is paused. */
  const index = computed(() => {
    if (!entries.value.some(({ paused }) => paused.value)) return undefined;
    const made = createTopicIndex<Entry>();
    for (const entry of entries.value) {
      // Without an error it may be granted before the answer arrives.
      if (entry.granted.value !== undefined || !entry.error.value) made.add(entry.filter, entry);
    }
    return made;
  });

  /** Leaves out messages that match only paused subscriptions. */
  function withoutPaused(messages: Message[]): Message[] {
    const all = index.peek();
    if (!all) return messages;
    return messages.filter(({ topic }) => {
      const by = all.match(topic);
      if (by.length === 0 || by.some(({ paused }) => !paused.peek())) return true;
      for (const entry of by) {
        entry.hid++;
        touch(entry);
      }
      return false;
    });
  }

  /** The broker goes on sending. */
  function pause(entry: Entry, on: boolean): void {
    batch(() => {
      entry.hid = entry.hidden.value = 0;
      entry.paused.value = on;
    });
  }

  /** The client does not unsubscribe at the broker while another one has the filter. */
  function end(entry: Entry): void {
    entry.gone = true;
    entry.subscription?.unsubscribe().catch(() => {});
  }

  /** Tells at one that waits for the connection if there will be none. */
  async function tellUnmade(entry: Entry): Promise<void> {
    for (let next = deps.arriving?.(); next; next = deps.arriving?.()) if (await next) return;
    // With the next attempt it waits again.
    const waits = () => deps.client() || deps.connecting?.();
    entry.error.value = () =>
      waits() ? '' : t('Not subscribed: {why}', { why: t('not connected to a broker') });
  }

  async function open(client: Client, entry: Entry, timeout: number): Promise<void> {
    const { identifier, ...wanted } = entry.wanted.value;
    const { maximumQoS = 2, subscriptionIdentifiersAvailable = true } = client.connack?.properties ?? {};
    // The user did not choose its QoS, and some brokers close the connection at an unsupported one.
    if (entry.own) wanted.qos = Math.min(wanted.qos, maximumQoS) as QoS;
    const options = requestOf(
      subscriptionIdentifiersAvailable && identifier !== undefined ? { ...wanted, identifier } : wanted,
    );
    const asked = Date.now();
    const subscription = await client.subscribe(entry.filter, { ...options, timeout }, () => {
      entry.counted++;
      touch(entry);
    });
    entry.subscription = subscription;
    if (entry.gone) return end(entry);
    if (deps.client() !== client) return;
    entry.since = Math.min(entry.since, asked);
    entry.granted.value = subscription.qos;
    entry.error.value = '';
  }

  function dropErrors(): void {
    fieldError.value = identifierError.value = formError.value = '';
  }

  function edit(changes: Partial<Draft>): void {
    batch(() => {
      draft.value = { ...draft.value, ...changes };
      dropErrors();
    });
  }

  /** Fills the form with one, to be changed there. */
  function load({ wanted }: Entry): void {
    const { identifier, ...rest } = wanted.value;
    edit({});
    draft.value = { ...rest, ...(identifier !== undefined && { identifier: String(identifier) }) };
  }

  /**
   * A changed name or colour needs no new subscription, for which the broker would send retained
   * messages again.
   */
  function isLookOnly(before: Entry, wanted: Wanted): boolean {
    const old = before.wanted.value;
    const same = JSON.stringify(requestOf(old)) === JSON.stringify(requestOf(wanted));
    return same && before.granted.value !== undefined && (old.name !== wanted.name || old.hue !== wanted.hue);
  }

  /**
   * Subscribes as the form says; while the page connects, with the connection. The same filter
   * replaces the subscription (3.8.4).
   */
  async function subscribe(): Promise<void> {
    const { filter, qos, rap, rh, identifier = '', ...rest } = draft.value;
    const more = { ...rest, rh: rh || undefined, identifier: numberOf(identifier) };
    const wanted: Wanted = {
      ...filled<Omit<Wanted, 'filter' | 'qos'>>(more),
      filter,
      qos,
      ...(rap !== undefined && rap !== defaultRap && { rap }),
    };
    const client = deps.client();
    const waits = !client && deps.connecting?.();
    edit({});
    if (!client && !waits) formError.value = () => t('Not connected to a broker');
    if (!(client || waits) || busy.value) return;

    busy.value = true;
    try {
      const before = entries.value.find((entry) => entry.filter === filter);
      const auto = before?.wanted.value.hue === undefined ? before?.hue.value : undefined;
      if (before && isLookOnly(before, wanted)) {
        batch(() => {
          before.wanted.value = wanted;
          before.hue.value = wanted.hue ?? auto ?? freeHue();
        });
      } else {
        const entry = entryFor({
          ...wanted,
          ...(auto !== undefined && { auto }),
          ...(before && { own: before.own, paused: before.paused.value }),
        });
        if (before) entry.since = before.since;
        if (client) await open(client, entry, timeout);
        else if (mistakeIn(filter)) {
          // The client would tell it too late for the form.
          fieldError.value = () => mistakeIn(filter);
          return;
        } else void tellUnmade(entry);
        if (deps.client() !== client) return; // it was left meanwhile
        entries.value = before
          ? entries.value.map((other) => (other === before ? entry : other))
          : [...entries.value, entry];
        if (before) end(before);
      }
      if (draft.value.filter === filter) draft.value = { filter: '', qos };
    } catch (error) {
      if (deps.client() !== client) return;
      const failure = toFailure(error);
      const { field } = failure;
      if (field === 'properties.subscriptionIdentifier') identifierError.value = () => atField(failure);
      else if (field === 'nl') formError.value = () => t('No Local: {why}', { why: atField(failure) });
      else if (field === undefined) formError.value = () => inOneLine(failure);
      else fieldError.value = () => atField(failure);
    } finally {
      busy.value = false;
    }
  }

  function sourceOf({ filter, wanted, hue, since }: Entry, until = Number.POSITIVE_INFINITY): Source {
    return { filter, name: wanted.value.name ?? '', hue: hue.value, since, until };
  }

  /** Current and former subscriptions that messages may match. */
  const sources = computed((): readonly Source[] => {
    // `since` is set with the grant.
    for (const { granted } of entries.value) granted.value;
    return [...former.value, ...entries.value.map((entry) => sourceOf(entry))];
  });

  /** For the next connection. */
  function prepare(wanted: Kept[]): void {
    batch(() => {
      for (const one of wanted) {
        if (entries.value.some(({ filter }) => filter === one.filter)) continue;
        entries.value = [...entries.value, entryFor(one)];
      }
    });
  }

  /** For the next page. */
  function kept(): Kept[] {
    return entries.value.map(({ wanted, hue, own, paused }) => ({
      ...wanted.value,
      ...(wanted.value.hue === undefined && { auto: hue.value }),
      ...filled({ own, paused: paused.value }),
    }));
  }

  let wantsOwn = true;
  /** Whether the next connection gets the page's own topic, unless it was unsubscribed from. */
  function setOwn(on: boolean): void {
    if (on === wantsOwn) return;
    wantsOwn = on;
    const others = entries.value.filter(({ own }) => !own);
    entries.value = on ? [ownEntry(), ...others] : others;
  }

  async function unsubscribe(entry: Entry): Promise<void> {
    try {
      if (deps.client() && entry.granted.value !== undefined)
        await entry.subscription?.unsubscribe({ timeout });
      entry.gone = true;
      batch(() => {
        // No message matched one that was never granted.
        if (Number.isFinite(entry.since)) {
          former.value = [...former.value.slice(1 - mostFormer), sourceOf(entry, Date.now())];
        }
        entries.value = entries.value.filter((other) => other !== entry);
      });
    } catch (error) {
      entry.error.value = () => t('Still subscribed: {why}', { why: inOneLine(toFailure(error)) });
    }
  }

  /** Subscribes everything on a new connection. Settles in any case. */
  async function onClient(client: Client): Promise<void> {
    formError.value = '';
    await Promise.all(
      entries.value.map((entry) =>
        open(client, entry, firstTimeout).catch((error: unknown) => {
          if (deps.client() !== client) return;
          entry.error.value = () => t('Not subscribed: {why}', { why: inOneLine(toFailure(error)) });
        }),
      ),
    );
  }

  function onGone(): void {
    batch(() => {
      for (const entry of entries.value) {
        entry.granted.value = undefined;
        entry.error.value = '';
      }
      dropErrors();
    });
  }

  // QoS 2, so that the page's own messages come back as they were sent.
  const ownEntry = () => entryFor({ filter: own, qos: 2, own: true });
  entries.value = [ownEntry()];

  return {
    draft,
    entries,
    fieldError,
    identifierError,
    formError,
    busy,
    sources,
    /** Whether those that are not granted wait for the connection. */
    connecting: () => deps.connecting?.() ?? false,
    /** Whether the broker supports Subscription Identifiers, as far as it is known. */
    identifiers: () => deps.client()?.connack?.properties.subscriptionIdentifiersAvailable ?? true,
    edit,
    load,
    subscribe,
    prepare,
    kept,
    setOwn,
    pause,
    withoutPaused,
    unsubscribe,
    onClient,
    onGone,
  };
}
