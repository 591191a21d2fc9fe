import { combine } from '../combine';
import { createFilters } from './filters';
import { failure, within } from './limits';
import type {
  AuthStep,
  Boundary,
  BoundaryEnvironment,
  BoundaryOptions,
  BoundarySink,
  CallOptions,
  ClientEvent,
  DisconnectCall,
  GoClient,
  SubscribeAck,
  UnsubscribeCall,
  WireSubscription,
} from './messages';
import { createSeat, type Seat } from './seat';
import { type Part, split } from './split';

/** What the members of a connection have to agree on. */
export type SharedOptions = Omit<BoundaryOptions, 'packetEvents'> & BoundaryEnvironment;

/** A client of the Go boundary that several pages have as theirs. */
export interface Connection {
  readonly options: SharedOptions;
  /** Whether it uses enhanced authentication, which cannot be added later. */
  readonly authenticates: boolean;
  /** Set while it is being closed, and nobody may join. Resolves when that is over. */
  readonly ending: Promise<void> | undefined;
  join(sink: BoundarySink, packetEvents?: boolean): Member;
}

export interface Member {
  /** Resolves once there is a connection. When it rejects the member has left. */
  ready(limits: CallOptions): Promise<GoClient>;
  /** Keeps messages and events from it, and nobody waits for it. */
  pause(): void;
  /** Tells it how things stand now. The messages of the meantime are gone. */
  resume(): void;
  /** For a page that is gone: gives back what it subscribed to. */
  leave(): void;
}

type End = Extract<ClientEvent, { type: 'end' }>;

const defaultConnectTimeout = 30_000;

/** Starts to connect. `onEnd` is called once, when nothing follows. */
export function openConnection(
  boundary: Boundary<GoClient>,
  options: SharedOptions,
  authenticates: boolean,
  onEnd: () => void,
): Connection {
  /** In the order of joining. */
  const seats = new Set<Seat>();
  const filters = createFilters<Seat>();
  /** Filters that the broker has, or may have. */
  const held = new Set<string>();
  /** The events that tell a newcomer how things stand. */
  let standing: ClientEvent[] = [];
  /** Nobody else ever joined: what comes is for the one, and is not looked at. */
  let alone = true;
  let suspended = false;
  let tellingPackets = false;
  let ended = false;
  let ending: Promise<void> | undefined;

  const giveUp = new AbortController();
  // Later: Go may ask before `connect` returns, and then the first member has joined.
  const opening = Promise.resolve().then(() => {
    tellingPackets = wantsPackets();
    return boundary.connect({
      ...options,
      packetEvents: tellingPackets,
      signal: giveUp.signal,
      onBatch,
      onEvent,
      onPackets,
      onAttempt: (info) => ask((sink) => sink.onAttempt?.(info)),
      ...(authenticates && { onAuthenticate }),
    });
  });
  /** Set once `opening` has resolved; no member can call before. */
  let link: GoClient;
  opening.then(
    (opened) => {
      link = opened;
      // They all gave up, too late for the signal.
      if (seats.size === 0) abandon();
      else settle().catch(toldByEvents);
    },
    (error) => finish({ type: 'end' }, error),
  );

  /** A member that wants to sees the whole connection's packets. */
  function onPackets(buffer: ArrayBuffer, dropped: number): void {
    for (const { sink, packets, away } of seats) {
      if (packets && !away) sink.onPackets?.(buffer.slice(0), dropped);
    }
  }

  const wantsPackets = (): boolean => [...seats].some(({ packets }) => packets);

  async function settlePackets(limits?: CallOptions): Promise<void> {
    const wanted = wantsPackets();
    if (!link || wanted === tellingPackets) return;
    tellingPackets = wanted;
    await link.tellPackets({ on: wanted, ...limits });
  }

  /** After somebody came or went. */
  async function settle(): Promise<void> {
    await Promise.all([settleSuspension(), settlePackets()]);
  }

  const isConnected = (): boolean => standing[0]?.type === 'connect';

  function onEvent(event: ClientEvent): void {
    switch (event.type) {
      case 'end':
        finish(event, event.error ?? left());
        return;
      case 'connect':
        standing = [event];
        // Not now: Go is on the stack, and must not be called.
        queueMicrotask(() => giveBack([...held]));
        break;
      case 'close':
        standing = [event];
        break;
      case 'reconnect':
        standing = [...standing.filter(({ type }) => type === 'close'), event];
    }
    for (const seat of seats) {
      if (seat.admitted) seat.tell(event);
      else if (event.type === 'connect') seat.admit(standing);
    }
  }

  /** Once, however many ways lead here. */
  function finish(end: End, why: unknown): void {
    if (ended) return;
    ended = true;
    onEnd();
    for (const seat of seats) {
      remove(seat);
      if (seat.admitted) seat.sink.onEvent(end);
      else seat.refuse(why);
    }
  }

  /** Resolves when all that got something have taken it, or are away. */
  function onBatch(buffer: ArrayBuffer, count: number, dropped: number): undefined | Promise<void> {
    const parts: Map<Seat, Part> = alone
      ? new Map([...seats].map((seat) => [seat, { buffer, count }]))
      : split(buffer, filters.takersOf);
    const taking: Promise<void>[] = [];
    for (const seat of seats) {
      if (seat.away) continue;
      // What was dropped may have been anybody's, so everybody hears of it.
      const part = parts.get(seat) ?? (dropped > 0 ? { buffer: new ArrayBuffer(0), count: 0 } : undefined);
      if (part) taking.push(seat.deliver(part, dropped));
    }
    if (taking.length === 0) return undefined;
    return Promise.all(taking).then(() => {});
  }

  /** Asks the newest who answers such questions, and the next one when that one goes away. */
  async function ask<T>(question: (sink: BoundarySink) => Promise<T> | undefined): Promise<T | undefined> {
    for (const seat of [...seats].reverse()) {
      if (seat.away) continue;
      const answering = question(seat.sink);
      if (!answering) continue;
      const answer = await seat.unlessAway(answering.then((value) => ({ value })));
      if (answer) return answer.value;
    }
    return undefined;
  }

  async function onAuthenticate(step: AuthStep): Promise<Uint8Array | undefined> {
    const answer = await ask((sink) => sink.onAuthenticate?.(step).then((data) => ({ data })));
    if (!answer) throw failure('aborted', 'authentication: the tab that could answer is gone');
    return answer.data;
  }

  /** Returns the filters that it had. */
  function remove(seat: Seat): string[] {
    seats.delete(seat);
    seat.leave();
    return filters.removeAll(seat);
  }

  /** Leaves the connection to the others. */
  function detach(seat: Seat): void {
    giveBack(remove(seat));
    settle().catch(toldByEvents);
  }

  function leave(seat: Seat): void {
    if (!seats.has(seat)) return;
    if (seats.size > 1) {
      detach(seat);
    } else {
      remove(seat);
      abandon();
    }
  }

  /** The last one left without a word, which is what the broker has the will for. */
  function abandon(): void {
    if (!link) {
      giveUp.abort();
      const over = (): void => {};
      ending = opening.then(over, over);
      return;
    }
    close({ reasonCode: 0x04 }) // Disconnect with Will Message (3.14.2.1)
      .catch(() => close({ force: true }))
      .catch(() => {
        // Gone already: as wanted.
      });
  }

  function close(call: DisconnectCall & CallOptions): Promise<void> {
    const closing = link.disconnect(call);
    ending = closing.then(
      () => finish({ type: 'end' }, left()),
      () => {
        ending = undefined;
      },
    );
    return closing;
  }

  /** Unsubscribes from those filters that nobody has any more. */
  function giveBack(given: string[]): void {
    const unwanted = given.filter((filter) => held.has(filter) && !filters.has(filter));
    if (unwanted.length === 0 || ended) return;
    unsubscribe(unwanted).catch(() => {
      // They stay in `held`, and the next connection tries again.
    });
  }

  async function unsubscribe(
    unwanted: string[],
    call?: UnsubscribeCall & CallOptions,
  ): Promise<SubscribeAck> {
    const ack = await link.unsubscribe(unwanted, call);
    for (const filter of unwanted) if (!filters.has(filter)) held.delete(filter);
    return ack;
  }

  /** While all are away the connection is suspended, and the broker keeps what the session is owed. */
  async function settleSuspension(limits?: CallOptions): Promise<void> {
    const wanted = seats.size > 0 && [...seats].every((seat) => seat.away);
    if (!link || wanted === suspended) return;
    suspended = wanted;
    await (wanted ? link.suspend(limits) : link.resume(limits));
  }

  function clientOf(seat: Seat): GoClient {
    /** `link`, for a member that has not left. */
    function use(): GoClient {
      if (!seats.has(seat)) throw failure('not-connected', 'the client has ended');
      return link;
    }

    return {
      publish: async (topic, payload, call) => use().publish(topic, payload, call),
      publishAll: async (records, first, onSettled) => use().publishAll(records, first, onSettled),
      request: async (topic, payload, call) => use().request(topic, payload, call),
      reauthenticate: async (limits) => use().reauthenticate(limits),
      wake: async (limits) => use().wake(limits),
      ping: async (limits) => use().ping(limits),

      async tellPackets({ on, ...limits }) {
        use();
        seat.packets = on;
        await settlePackets(limits);
      },

      async subscribe(requests, call) {
        const client = use();
        const combined = requests.map((request) => combine(request, filters.sharing(seat, request.topic)));
        // Before asking: messages may come before the SUBACK does (3.8.4).
        const undo = requests.map((request) => take(seat, request));
        let ack: SubscribeAck;
        try {
          ack = await client.subscribe(combined, call);
        } catch (error) {
          for (const takeBack of undo.reverse()) takeBack();
          throw error;
        }
        for (const [index, code] of ack.reasonCodes.entries()) if (code >= 0x80) undo[index]?.();
        return ack;
      },

      async unsubscribe(given, call) {
        use();
        for (const filter of given) filters.remove(seat, filter);
        const last = given.filter((filter) => !filters.has(filter));
        if (last.length === 0) return { reasonCodes: given.map(() => 0) };
        const ack = await unsubscribe(last, call);
        const codes = new Map(last.map((filter, index) => [filter, ack.reasonCodes[index] ?? 0]));
        return { ...ack, reasonCodes: given.map((filter) => codes.get(filter) ?? 0) };
      },

      async suspend(limits) {
        use();
        seat.goAway();
        await settleSuspension(limits);
      },

      async resume(limits) {
        use();
        seat.comeBack(standing);
        await settleSuspension(limits);
      },

      async disconnect(call = {}) {
        use();
        if (seats.size === 1) return close(call);
        detach(seat);
        seat.sink.onEvent({ type: 'end' });
      },
    };
  }

  /** Returns how to take it back, at the broker too where somebody else had the filter until now. */
  function take(seat: Seat, request: WireSubscription): () => void {
    const { topic } = request;
    const wasHeld = held.has(topic);
    held.add(topic);
    const takeBack = filters.add(seat, request);
    return () => {
      takeBack();
      if (wasHeld) giveBack([topic]);
      else if (!filters.has(topic)) held.delete(topic);
    };
  }

  function join(sink: BoundarySink, packetEvents = false): Member {
    if (seats.size > 0) alone = false;
    const seat = createSeat(sink, packetEvents);
    seats.add(seat);
    if (isConnected()) seat.admit(standing);
    settle().catch(toldByEvents);

    return {
      async ready(limits) {
        // While the others reconnect, a newcomer waits as long as for an attempt of its own.
        const { connectTimeout = defaultConnectTimeout } = options;
        const late = standing.length > 0 && !isConnected();
        const timeout = limits.timeout || (late ? connectTimeout : 0);
        const client = clientOf(seat);
        if (late) client.wake().catch(toldByEvents);
        try {
          await within(Promise.all([seat.admission, opening]), { ...limits, timeout }, 'connect');
        } catch (error) {
          leave(seat);
          throw error;
        }
        return client;
      },
      pause() {
        seat.goAway();
        settleSuspension().catch(toldByEvents);
      },
      resume() {
        seat.comeBack(standing);
        settleSuspension().catch(toldByEvents);
      },
      leave: () => leave(seat),
    };
  }

  return {
    options,
    authenticates,
    get ending() {
      return ending;
    },
    join,
  };
}

/** For what nobody asked for who could be told. */
function toldByEvents(): void {}

function left(): Error {
  return failure('aborted', 'connect: the client was ended');
}
