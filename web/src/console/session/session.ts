/** One connection, with everything that belongs to it alone. */

import { computed, effect, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Client, Message } from '../../client';
import { t } from '../core/i18n/i18n';
import type { Clock } from '../core/repeat';
import type { View } from '../core/view';
import type { Via } from '../log/entry';
import type { Feed } from '../log/feed';
import { recording } from '../log/sent';
import { createBirths } from '../payload/births';
import type { Choices } from '../payload/choices';
import type { Forest } from '../topics/forest';
import { createTopics, type Topics } from '../topics/store';
import { type Config, defaultBroker } from './config';
import { type Connection, createConnection, custom, type Dependencies } from './connection';
import { createCopies } from './copies';
import { createLatency, type Latency } from './latency';
import { freeName, hostOf } from './names';
import { createParts, type Parts } from './parts';
import { whenConnected } from './phase';
import type { Profile } from './profiles';
import { createPublisher, type Publisher } from './publisher';
import { createScripts, type Scripts } from './scripts';
import { withoutSecrets } from './settings';
import { createSubscriptions, type Source, type Subscriptions } from './subscriptions';

/** What the connections share. */
export interface Shared extends Omit<Dependencies, 'onClient' | 'onGone'> {
  config: Signal<Config>;
  feed: Feed;
  forest: Forest;
  shows(view: View): boolean;
  clock: Clock;
  /** Runs `call` soon, at most once a frame. */
  frame(call: () => void): void;
  randomId(): string;
  /** The names of all connections but this one. */
  taken(id: number): ReadonlySet<string>;
}

export interface Session extends Pick<Parts<Session>, 'part'> {
  /** Unique. */
  readonly id: number;
  readonly name: Signal<string>;
  readonly connection: Connection;
  /** The client in use. What is published by it is entered in the feed. */
  readonly client: ReadonlySignal<Client | undefined>;
  readonly subscriptions: Subscriptions;
  readonly publisher: Publisher;
  readonly topics: Topics;
  /** How payloads are read. */
  readonly choices: Choices;
  readonly latency: Latency;
  readonly scripts: Scripts;
  /** The form of its fleet, for a reload of the page; undefined until somebody edits it. */
  readonly fleetForm: Signal<unknown>;
  /** Whether the view is on the screen, as a signal: hidden parts do nothing. */
  shows(view: View): boolean;
  /** Whether its packets are recorded, from the next CONNECT on. */
  readonly packetEvents: Signal<boolean>;
  /** The payload of the Sparkplug B BIRTH that a message of the client in use refers to. */
  birthBefore(message: Pick<Message, 'topic' | 'receivedAt'>): Uint8Array | undefined;
  /** The current and former subscriptions that messages may match. */
  readonly sources: ReadonlySignal<readonly Source[]>;
  /** Fills the form. */
  use(profile: Profile): void;
  /** The profile that the form was filled from last. */
  profile(): Profile | undefined;
  /** Ends everything in it. */
  dispose(): void;
}

export function createSession(id: number, shared: Shared): Session {
  const { feed, forest, frame, clock } = shared;
  const { choices } = feed;
  const own = `mqttwasm/${shared.randomId()}`;
  const current = () => connection.client.value;
  const packetEvents = signal(false);
  const latency = createLatency();
  const scripts = createScripts();
  const fleetForm = signal<unknown>(undefined);
  const { part, disposeParts } = createParts<Session>(() => session);

  const name = signal(t('Connection {number}', { number: id }));
  let profile: Profile | undefined;
  /** Of the client in use. */
  let births = createBirths();
  let via: Via = { id, name: name.value };

  const client = computed(() => {
    const connected = connection.client.value;
    return (
      connected &&
      recording(
        connected,
        (message) => feed.enter(message, via),
        (answer) => feed.push([answer], 0, via),
      )
    );
  });
  const arriving = () => whenConnected(connection.status, () => client.value);
  const connecting = () => connection.status.value.phase === 'connecting';
  const subscriptions = createSubscriptions({ client: current, arriving, connecting, frame }, `${own}/#`);
  const publisher = createPublisher({ choices, client: () => client.value, arriving, clock }, `${own}/hello`);
  const topics = createTopics(
    {
      id,
      now: clock.now,
      client: current,
      *kept() {
        for (let number = feed.next() - 1; ; number--) {
          const entry = feed.get(number);
          if (!entry) return;
          if (!entry.sent && !entry.replayed && entry.via.id === id) yield entry.message;
        }
      },
    },
    forest.plant(),
  );
  const connection = createConnection(
    {
      ...shared,
      async connect(options) {
        const all = { ...options, packetEvents: packetEvents.value };
        if (!connection.settings.value.login.kind) return shared.connect(all);
        return (await import('./login')).connectBy(connection, all, shared.connect);
      },
      async onClient(client) {
        births = createBirths();
        const mine = { id, name: name.value, births };
        via = feed.join(mine);
        const withoutCopies = createCopies();
        const { model } = topics;
        /** The round in which retained messages may be missing. */
        let doubtful: number | undefined;
        const doubt = () => {
          doubtful = model.round;
        };
        const checkRetained = async () => {
          const { round } = model;
          if (model.root.retainedBelow === 0) return;
          const { unmark } = await import('./retained');
          const goOn = () => model.round === round && doubtful !== round;
          await unmark(model, subscriptions.entries, clock, goOn);
        };
        client.on('error', ({ field }) => {
          if (field === 'filter') doubt(); // a subscription was refused
        });
        client.on('connect', ({ sessionPresent }) => {
          // If it can't be loaded, some marks stay.
          if (!sessionPresent) checkRetained().catch(() => {});
        });
        client.on('batch', (messages, lost) => {
          if (lost > 0) doubt();
          messages.forEach(mine.births.note);
          const several = subscriptions.entries.peek().length > 1;
          const shown = subscriptions.withoutPaused(several ? withoutCopies(messages) : messages);
          // One that was left may still bring some, which are not of the broker in use.
          if (current() === client) {
            scripts.hear(shown);
            topics.push(shown);
          }
          feed.push(shown, lost, mine);
        });
        topics.onClient(client);
        subscriptions.setOwn(connection.settings.value.ownTopic);
        await subscriptions.onClient(client);
        checkRetained().catch(() => {});
      },
      onGone() {
        // What was meant for one broker must not go to the next.
        publisher.stop();
        subscriptions.onGone();
      },
    },
    shared.config,
  );

  // For a session that is opened later: the form is filled, but nothing connects.
  connection.select(defaultBroker(shared.config.value)?.name ?? custom);

  // Renamed with each broker that it connects to.
  const stopNaming = effect(() => {
    const { phase, url } = connection.status.value;
    if (phase !== 'connecting' || url === '') return;
    const wanted = profile?.settings.url === url ? profile.name : hostOf(url);
    const taken = shared.taken(id);
    name.value = freeName(wanted, (other) => taken.has(other));
  });

  // Emptying the feed also forgets the BIRTHs, which belong to its messages.
  const stopForgetting = effect(() => {
    feed.emptied.value;
    topics.era.value;
    births.clear();
  });

  function use(chosen: Profile): void {
    profile = chosen;
    connection.edit(chosen.settings);
    scripts.on.value = { url: withoutSecrets(chosen.settings.url), names: chosen.scripts ?? [] };
  }

  function dispose(): void {
    stopNaming();
    stopForgetting();
    connection.disconnect();
    publisher.stop();
    publisher.dismissAnswer();
    disposeParts();
    forest.fell(topics.model);
  }

  const session: Session = {
    id,
    name,
    connection,
    client,
    subscriptions,
    publisher,
    topics,
    choices,
    latency,
    scripts,
    fleetForm,
    shows: shared.shows,
    packetEvents,
    birthBefore: (message) => births.before(message),
    sources: subscriptions.sources,
    part,
    use,
    profile: () => profile,
    dispose,
  };
  return session;
}
