/** The page: its sessions, and what they share. */

import { computed, type ReadonlySignal, signal, untracked } from '@preact/signals';
import { connect } from '../../client';
import { programReady } from '../../client/transport/worker-host';
import { randomHex } from '../../platform/random';
import { createTicker } from '../core/clock';
import { pageTiming } from '../core/timing';
import { type Drawer, isDrawer, isShown, type Screen, type View, watchScreen } from '../core/view';
import { createFeed, type Feed } from '../log/feed';
import type { Filter } from '../log/filter';
import { createFinder } from '../log/finder';
import { createChoices } from '../payload/choices';
import { createForest } from '../topics/forest';
import { type Config, loadConfig } from './config';
import type { KeptPage, keptOf } from './keep';
import { keptOpen } from './kept-open';
import { createParts, type Parts } from './parts';
import { createSession, type Session, type Shared } from './session';
import { createSessions, type Sessions } from './sessions';
import type { Source } from './subscriptions';

export type Inspected = 'message' | 'topic' | 'packet';

/** The parts of the feed's filter that a selection narrows. */
type Narrowed = Pick<Filter, 'topic' | 'connection'>;

export interface Page extends Pick<Parts<Page>, 'part'> {
  readonly sessions: Sessions<Session>;
  readonly feed: Feed;
  /** What is subscribed to, by the number of the session. */
  readonly sources: ReadonlySignal<ReadonlyMap<number, readonly Source[]>>;
  readonly view: ReadonlySignal<View>;
  /** Open below the middle; on a narrow screen it is a view like others. */
  readonly drawer: ReadonlySignal<Drawer | undefined>;
  readonly screen: ReadonlySignal<Screen>;
  shows(view: View): boolean;
  show(view: View): void;
  closeDrawer(): void;
  /** What the inspector can show, the last opened first. */
  readonly inspected: ReadonlySignal<readonly Inspected[]>;
  /** Reports that there is something of the kind to inspect, or no longer. */
  inspect(what: Inspected, open: boolean): void;
  /**
   * Makes the feed show only a topic filter and a connection, until it is called without; not for a
   * `selection` for which the user has widened the filter again.
   */
  showOnly(now?: Narrowed, selection?: object): void;
  start(): Promise<void>;
}

/** The props of a part of the page. */
export interface PartProps {
  page: Page;
  session: Session;
}

/** Shows a view, and then puts the focus into it. */
export function goTo({ show }: Page, wanted: View, selector: string): void {
  show(wanted);
  requestAnimationFrame(() => document.querySelector<HTMLElement>(selector)?.focus());
}

export function createPage(): Page {
  const { part } = createParts<Page>(() => page);
  const view = signal<View>('messages');
  const drawer = signal<Drawer>();
  const screen = signal<Screen>('wide');

  function show(name: View): void {
    if (screen.peek() !== 'narrow' && isDrawer(name)) drawer.value = name;
    else view.value = name;
  }

  function closeDrawer(): void {
    drawer.value = undefined;
  }

  watchScreen((now) => {
    screen.value = now;
    if (now === 'narrow' || !isDrawer(view.peek())) return;
    show(view.peek());
    show('messages');
  });

  const shows = (name: View) => isShown(name, view.value, screen.value, drawer.value);
  const feed = createFeed({
    choices: createChoices(),
    finder: createFinder(),
    shown: computed(() => shows('messages')),
  });
  const opened = signal<readonly Inspected[]>([]);
  const shared: Shared = {
    connect,
    program: (shared) => programReady({ worker: true, shared }),
    // Also rejects if the page's server is gone.
    survey: async (url) => (await import('./probe')).survey(url),
    explainer: async () => (await import('./explain')).explain,
    page: location.href,
    age: () => Math.ceil(performance.now()),
    config: signal<Config>({ version: '', brokers: [] }),
    feed,
    forest: createForest(),
    shows,
    clock: createTicker(),
    frame: pageTiming.frame,
    randomId: () => randomHex(4),
    taken: (id) =>
      new Set(sessions.list.peek().flatMap((other) => (other.id === id ? [] : other.name.peek()))),
  };
  const sessions = createSessions<Session>((id) => createSession(id, shared));

  const sources = computed(
    () => new Map(sessions.list.value.map((session) => [session.id, session.sources.value])),
  );

  function kept(of: typeof keptOf): KeptPage {
    const list = sessions.list.peek();
    return {
      active: list.indexOf(sessions.active.peek()),
      list: list.map(of),
      view: view.peek(),
      drawer: drawer.peek(),
      paused: feed.paused.peek(),
      // Without what a selection narrowed, since the selection is not kept.
      filter: { ...feed.filter.peek(), ...ownFilter() },
    };
  }

  const load = () => loadConfig(() => fetch('config.json', { cache: 'no-cache' }));

  /** Whether what was open before the page was reloaded is open again. */
  async function reopened(): Promise<boolean> {
    const left = keptOpen();
    if (!left) return false;
    try {
      const { reopen } = await import('./reopen');
      return reopen(left, { sessions, feed, show, drawer }, load);
    } catch {
      return false; // the server is gone: the page starts afresh
    }
  }

  /** A link fills the forms. Another link opens the page anew. */
  async function start(): Promise<void> {
    const { connection, publisher, subscriptions } = sessions.active.value;
    let asked: string | undefined;
    addEventListener('hashchange', () => location.hash.includes('=') && location.reload());
    const again = await reopened();
    if (!again && location.hash.includes('=')) {
      const { isLink, readLink } = await import('./link');
      if (isLink(location.hash)) {
        const { broker, message, subscriptions: wanted } = readLink(location.hash);
        asked = broker;
        if (message) publisher.edit(message);
        subscriptions.prepare(wanted);
      }
    }
    // Not earlier: a page that is left sooner has nothing to keep.
    import('./keep').then(({ keepOpen }) => keepOpen(kept)).catch(() => {}); // the server is gone
    if (!again) await connection.start(load, asked);
  }

  /** What belongs to a view is inspected only with that view. */
  const inspected = computed(() =>
    opened.value.filter((what) => {
      if (what === 'packet') return shows('packets');
      return screen.value !== 'narrow' || shows(what === 'message' ? 'messages' : 'topics');
    }),
  );

  function inspect(what: Inspected, open: boolean): void {
    const others = opened.peek().filter((other) => other !== what);
    opened.value = open ? [what, ...others] : others;
  }

  /** What a selection narrowed the feed to, and the filter before. */
  let only: { now: Narrowed; before: Narrowed; selection: object } | undefined;
  /** Selections for which the user widened the filter. */
  const widened = new WeakSet<object>();

  /** The user's own part of the feed's filter. */
  function ownFilter(): Narrowed {
    const { topic, connection } = feed.filter.peek();
    return {
      topic: only?.now.topic === topic ? only.before.topic : topic,
      connection: only?.now.connection === connection ? only.before.connection : connection,
    };
  }

  function showOnly(now?: Narrowed, selection: object = {}): void {
    const { topic: topicNow, connection: connectionNow } = feed.filter.peek();
    if (only && only.now.topic !== topicNow) widened.add(only.selection);
    const before = ownFilter();
    only = now && !widened.has(selection) ? { now, before, selection } : undefined;
    const { topic, connection } = only?.now ?? before;
    // Untracked, so that an effect that calls this does not depend on the feed.
    if (topic !== topicNow || connection !== connectionNow) untracked(() => feed.edit({ topic, connection }));
  }

  const page: Page = {
    sessions,
    feed,
    sources,
    view,
    drawer,
    screen,
    shows,
    show,
    closeDrawer,
    inspected,
    inspect,
    showOnly,
    part,
    start,
  };
  return page;
}
