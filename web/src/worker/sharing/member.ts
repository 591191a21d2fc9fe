import { deferred } from '../../platform/deferred';
import type { BoundarySink, ClientEvent, JoinOptions } from '../../protocol/boundary';
import { createOpenCalls } from './open-calls';
import { nothing, type Part } from './split';

/**
 * One page's membership in a shared connection.
 *
 *              admit    freeze    thaw      leave
 *     joining  active   waiting             gone   no event concerns it yet
 *     waiting  frozen             joining   gone   frozen before it was admitted
 *     active            frozen              gone   gets events, and messages unless it is behind
 *     frozen                      active    gone   QoS 1 and 2 wait for it, QoS 0 is counted
 *     gone
 */
type State = 'joining' | 'waiting' | 'active' | 'frozen' | 'gone';
type Change = 'admit' | 'freeze' | 'thaw' | 'leave';

const changes: Record<State, Partial<Record<Change, State>>> = {
  joining: { admit: 'active', freeze: 'waiting', leave: 'gone' },
  waiting: { admit: 'frozen', thaw: 'joining', leave: 'gone' },
  active: { freeze: 'frozen', leave: 'gone' },
  frozen: { thaw: 'active', leave: 'gone' },
  gone: {},
};

const admitted: ReadonlySet<State> = new Set(['active', 'frozen']);
const away: ReadonlySet<State> = new Set(['waiting', 'frozen', 'gone']);

/**
 * Milliseconds that others wait for a page that is frozen or takes nothing: its handler may never
 * finish, or a dialog may be open. While it is frozen the acknowledgement of its messages waits for
 * it. Acknowledgements are sent in order, so all later ones wait, too: the other pages go on within
 * the Receive Maximum (or what the broker keeps in flight, if that is less), and then stop until
 * this time is over. From then on the page is behind, until it has taken everything that waits for
 * it: it does not get QoS 0, and other messages for it are acknowledged, and kept here.
 */
export const patience = 5000;

/**
 * Bytes of messages that wait here for a page that is behind. Beyond that they are dropped, and it
 * is told how many.
 */
export const waitingBytes = 16 << 20;

/** A part of a batch on its way to a page. */
interface Entry {
  part: Part;
  dropped: number;
  /** Allows its acknowledgement. */
  release(): void;
}

export interface Delivery {
  /** Resolves when it may be acknowledged: the page has it, or never will have it. */
  taken: Promise<void>;
  /** Resolves when the next batch may come: the page has it, or is away. */
  next: Promise<void>;
}

/** What a page had not taken when it left. */
export type Untaken = Pick<Entry, 'part' | 'release'>;

export type Member = ReturnType<typeof createMember>;

interface MemberOptions {
  sink: BoundarySink;
  packets: boolean;
  whenTabCloses: NonNullable<JoinOptions['whenTabCloses']>;
  /** It became overdue, or is no longer. */
  onOverdue(): void;
}

export function createMember({ sink, packets, whenTabCloses, onOverdue }: MemberOptions) {
  let state: State = 'joining';
  /** What its page was told last. */
  let connected = false;
  /** Something changed while it was away. */
  let changed = false;
  /** The loss of the connection that its page knows, while it was away. */
  let lost: ClientEvent[] = [];
  /** What was delivered to it and not taken. */
  let given: Entry | undefined;
  /** What comes after that. */
  let queue: Entry[] = [];
  let queuedBytes = 0;
  let refused = 0;
  let missed = 0;
  let overdue = false;
  /** It was hurried: what arrives for it is acknowledged at once. */
  let released = false;
  let waiting: ReturnType<typeof setTimeout> | undefined;
  const whenAway = new Set<() => void>();
  const admission = deferred();

  /** Changes the state, and returns whether it allows this change. */
  function change(what: Change): boolean {
    const next = changes[state][what];
    if (!next) return false;
    state = next;
    return true;
  }

  const isAway = (): boolean => away.has(state);
  const isBehind = (): boolean => isAway() || released;

  function tell(event: ClientEvent): void {
    changed = isAway();
    if (!changed) show(event);
    else if (event.type === 'close' && lost.length === 0) lost = [event];
  }

  /** Each `close` ends what a `connect` began, whatever happened before it joined or while it was away. */
  function show(event: ClientEvent): void {
    if (event.type === 'connect' || event.type === 'close') {
      if (connected === (event.type === 'connect')) return;
      connected = !connected;
    }
    sink.onEvent(event);
  }

  /** Resolves with undefined when the member goes away first, whatever the promise does later. */
  function unlessAway<T>(promise: Promise<T>): Promise<T | undefined> {
    if (isAway()) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const stop = (): void => resolve(undefined);
      whenAway.add(stop);
      promise.then(resolve, reject).finally(() => whenAway.delete(stop));
    });
  }

  /** Undefined when there is nothing to wait for. `dropped` were dropped before. */
  function deliver(part: Part, dropped: number): Delivery | undefined {
    if (state === 'gone') return undefined;
    let lost = dropped;
    if (isBehind()) {
      missed += dropped;
      lost = 0;
      if (part.count === 0) return undefined;
      if (queuedBytes + part.buffer.byteLength > waitingBytes) {
        refused += part.count;
        return undefined;
      }
    }
    let settled = released;
    const { promise: taken, resolve } = deferred();
    const entry: Entry = {
      part,
      dropped: lost,
      release() {
        settled = true;
        resolve();
      },
    };
    queue.push(entry);
    queuedBytes += part.buffer.byteLength;
    giveOn();
    if (settled) return undefined;
    if (waiting === undefined) wait();
    return { taken, next: unlessAway(taken).then(() => {}) };
  }

  /** Delivers what waits, one part at a time. */
  function giveOn(): void {
    while (!given && !isAway()) {
      const entry = queue.shift();
      if (!entry) return;
      queuedBytes -= entry.part.buffer.byteLength;
      const { buffer, count, owed } = entry.part;
      // Its buffer is transferred, and another page may have to get it instead.
      const copied = owed && whenTabCloses === 'keep';
      const taking = sink.onBatch(copied ? buffer.slice(0) : buffer, count, entry.dropped);
      if (!taking) {
        entry.release();
        continue;
      }
      given = entry;
      const done = (): void => {
        if (given !== entry) return;
        given = undefined;
        entry.release();
        giveOn();
        if (!isAway()) progress();
      };
      taking.then(done, done);
    }
  }

  const waitingEntries = (): Entry[] => (given ? [given, ...queue] : queue);

  /** Starts waiting for the page. */
  function wait(): void {
    waiting = setTimeout(() => {
      overdue = true;
      onOverdue();
    }, patience);
  }

  function stopWaiting(): void {
    clearTimeout(waiting);
    waiting = undefined;
  }

  /** The page has taken something. */
  function progress(): void {
    if (released) {
      if (given) return;
      catchUp();
    }
    stopWaiting();
    if (given) wait();
    if (!overdue) return;
    overdue = false;
    onOverdue();
  }

  /** The page has caught up: from now on others wait for it again. */
  function catchUp(): void {
    released = false;
    if (refused > 0) sink.onEvent({ type: 'error', error: overflow(refused) });
    refused = 0;
    if (missed > 0) queue.unshift({ part: nothing(), dropped: missed, release() {} });
    missed = 0;
    giveOn();
  }

  /** If it is overdue, no longer waits for it to take its messages. */
  function hurry(): void {
    if (!overdue || released) return;
    released = true;
    for (const entry of waitingEntries()) entry.release();
  }

  function goAway(): void {
    for (const stop of whenAway) stop();
    whenAway.clear();
    stopWaiting();
  }

  return {
    sink,
    whenTabCloses,
    calls: createOpenCalls(),
    /** It gets packets. */
    packets,
    /** It was told of a connection; before that no event concerns it. */
    get admitted() {
      return admitted.has(state);
    },
    /** Settles by `admit` or `refuse`. */
    admission: admission.promise,
    /** Its page does not run, or is gone: nothing waits for it. */
    get away() {
      return isAway();
    },
    /** It is away, or was hurried and has not caught up since: it does not get QoS 0. */
    get behind() {
      return isBehind();
    },
    /** Others have waited for it for as long as they should. */
    get overdue() {
      return overdue;
    },
    /** `standing` are the events that tell the current state. */
    admit(standing: ClientEvent[]): void {
      if (!change('admit')) return;
      for (const event of standing) tell(event);
      admission.resolve();
    },
    refuse: admission.reject,
    tell,
    deliver,
    /** Counts QoS 0 messages that it does not get because it is behind. */
    miss(messages: number): void {
      missed += messages;
    },
    unlessAway,
    freeze(): void {
      if (!change('freeze')) return;
      goAway();
      // QoS 0 needs no acknowledgement, so nothing waits for it.
      for (const entry of waitingEntries()) if (!entry.part.owed) entry.release();
      wait();
    },
    thaw(standing: ClientEvent[]): void {
      if (!change('thaw')) return;
      stopWaiting();
      overdue = false;
      if (changed) for (const event of [...lost, ...standing]) show(event);
      changed = false;
      lost = [];
      catchUp();
      if (given) wait();
    },
    hurry,
    /** Returns what it has not taken and is not released yet. */
    leave(): Untaken[] {
      if (!change('leave')) return [];
      goAway();
      const untaken = waitingEntries();
      given = undefined;
      queue = [];
      queuedBytes = 0;
      return untaken;
    },
  };
}

function overflow(count: number) {
  const message =
    `${count} messages of QoS 1 and 2 for this page were dropped while it was frozen, ` +
    `in the back/forward cache or busy: more than ${waitingBytes >> 20} MiB waited for it`;
  return { code: 'dropped', message };
}
