import { combine } from '../../client/routing/combine';
import { createTopicSubscriptions } from '../../client/routing/topic-subscriptions';
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
  JoinOptions,
  SubscribeAck,
} from '../../protocol/boundary';
import { toWire } from '../dispatcher';
import { failure, within } from '../limits';
import { createDelivery } from './delivery';
import { createHeldFilters } from './held-filters';
import { createMember, type Member, type Untaken } from './member';
import { hasEnded } from './open-calls';
import { createQuestions } from './questions';

/** The options that must be equal for all members of a connection. */
export type SharedOptions = Omit<BoundaryOptions, 'packetEvents' | 'background'> & BoundaryEnvironment;

/** The options that each member has for itself. */
export type MemberOptions = Pick<BoundaryOptions, 'packetEvents' | 'background'> & JoinOptions;

/** A client of the Go boundary that several pages share. */
export type Connection = ReturnType<typeof openConnection>;
/** A page's membership in a connection, as its port sees it. */
export type Membership = ReturnType<Connection['join']>;

type End = Extract<ClientEvent, { type: 'end' }>;

const defaultConnectTimeout = 30_000;
/**
 * Milliseconds to wait for what is in flight when the last page is gone. The page may be reloading,
 * and has to wait for the end of this connection before it gets its own.
 */
export const lastWait = 1000;

/** Starts to connect. `onEnd` is called once, at the end. */
export function openConnection(
  boundary: Boundary<GoClient>,
  options: SharedOptions,
  authenticates: boolean,
  onEnd: () => void,
) {
  const { connectTimeout = defaultConnectTimeout } = options;
  /** In the order of joining. */
  const members = new Set<Member>();
  const ask = createQuestions(members, connectTimeout);
  const filters = createTopicSubscriptions<Member>();
  const delivery = createDelivery(members, filters);
  const held = createHeldFilters(filters, (given, call) => link.unsubscribe(given, call));
  /** What the last member had not taken, which the broker sends to the next one. */
  const untaken: Untaken[] = [];
  /** The events that tell a newcomer the current state. */
  let standing: ClientEvent[] = [];
  /** There was a connection before, so that all later subscriptions are known. */
  let known = false;
  let suspended = false;
  let inBackground = false;
  let tellingPackets = false;
  let ended = false;
  let ending: Promise<void> | undefined;

  const giveUp = new AbortController();
  // Asynchronously: Go may ask before `connect` returns, and by then the first member has joined.
  const opening = Promise.resolve().then(() => {
    tellingPackets = wantsPackets();
    return boundary.connect({
      ...options,
      packetEvents: tellingPackets,
      ...(inBackground && { background: true }),
      signal: giveUp.signal,
      onBatch: delivery.onBatch,
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
      // All members gave up, too late for the signal.
      if (members.size === 0) abandon();
      else settle().catch(reportedByEvents);
    },
    (error) => finish({ type: 'end', error: toWire(error) }, error),
  );

  /** Members that asked for packets get those of the whole connection. */
  function onPackets(buffer: ArrayBuffer, dropped: number): void {
    for (const { sink, packets, behind } of members) {
      if (packets && !behind) sink.onPackets?.(buffer.slice(0), dropped);
    }
  }

  const wantsPackets = (): boolean => [...members].some(({ packets }) => packets);

  async function settlePackets(limits?: CallOptions): Promise<void> {
    const wanted = wantsPackets();
    if (!link || wanted === tellingPackets) return;
    tellingPackets = wanted;
    await link.tellPackets({ on: wanted, ...limits });
  }

  /** After a member joined or left. */
  async function settle(): Promise<void> {
    settlePatience();
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
        if (!known && event.connack.sessionPresent) delivery.resumed();
        known = true;
        // Asynchronously: Go is on the stack, and must not be called.
        queueMicrotask(held.giveBackAll);
        break;
      case 'close':
        standing = [event];
        for (const { calls } of members) calls.lost();
        break;
      case 'reconnect':
        standing = [...standing.filter(({ type }) => type === 'close'), event];
    }
    for (const member of members) {
      if (member.admitted) member.tell(event);
      else if (event.type === 'connect') admit(member);
    }
  }

  function admit(member: Member): void {
    member.admit(standing);
    delivery.admitted();
  }

  /** Has an effect only once. */
  function finish(end: End, why: unknown): void {
    if (ended) return;
    ended = true;
    held.finish();
    onEnd();
    for (const member of members) {
      const { admitted } = member;
      remove(member);
      if (admitted) member.sink.onEvent(end);
      else member.refuse(why);
    }
    for (const { release } of untaken) release();
    delivery.finish();
  }

  async function onAuthenticate(step: AuthStep): Promise<Uint8Array | undefined> {
    const answer = await ask((sink) => sink.onAuthenticate?.(step).then((data) => ({ data })));
    if (!answer) throw failure('aborted', 'authentication: the tab that could answer was closed');
    return answer.data;
  }

  /** Returns the filters that the member had. What it had not taken is added to `untaken`. */
  function remove(member: Member): string[] {
    members.delete(member);
    delivery.left();
    untaken.push(...member.leave());
    return filters.removeAll(member);
  }

  /** Removes a member from a connection that others use. */
  function detach(member: Member): void {
    const left = remove(member);
    member.calls.end();
    if (member.whenTabCloses === 'keep' && left.length > 0) {
      held.keep(left);
      // It may be reloading.
      delivery.takeBack(untaken.splice(0));
    } else {
      held.giveBack(left);
      for (const { release } of untaken.splice(0)) release();
    }
    settle().catch(reportedByEvents);
  }

  function leave(member: Member): void {
    if (!members.has(member)) return;
    if (members.size > 1) {
      detach(member);
    } else {
      remove(member);
      abandon();
    }
  }

  /** The last page disappeared without ending its client: the broker is to publish the will. */
  function abandon(): void {
    if (!link) {
      giveUp.abort();
      const over = (): void => {};
      ending = opening.then(over, over);
      return;
    }
    close({ reasonCode: 0x04, timeout: lastWait }) // Disconnect with Will Message (3.14.2.1)
      .catch(() => close({ force: true }))
      .catch(() => {
        // It has ended already.
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

  /** While all are away the connection is suspended, and the broker keeps the session's messages. */
  async function settleSuspension(limits?: CallOptions): Promise<void> {
    const wanted = members.size > 0 && [...members].every((member) => member.away);
    if (!link || wanted === suspended) return;
    suspended = wanted;
    await (wanted ? link.suspend(limits) : link.resume(limits));
  }

  /** Other members do not wait for long for one that does not run. */
  function settlePatience(): void {
    if ([...members].every(({ away, overdue }) => away || overdue)) return;
    for (const member of members) member.hurry();
  }

  function clientOf(member: Member): GoClient {
    const { calls } = member;

    /** Returns `link` for a member that has not left. */
    function use(): GoClient {
      if (!members.has(member)) throw hasEnded();
      return link;
    }

    return {
      publish: async (topic, payload, call) => calls.send(use().publish(topic, payload, call)),
      publishAll: async (records, first, onSettled) => calls.publishAll(use(), records, first, onSettled),
      request: async (topic, payload, call) => calls.track(use().request(topic, payload, call)),
      reauthenticate: async (limits) => calls.track(use().reauthenticate(limits)),
      wake: async (limits) => calls.track(use().wake(limits)),
      ping: async (limits) => calls.track(use().ping(limits)),

      async tellPackets({ on, ...limits }) {
        use();
        member.packets = on;
        await calls.track(settlePackets(limits));
      },

      async subscribe(requests, call) {
        const client = use();
        const combined = requests.map((request) => combine(request, filters.sharing(member, request.topic)));
        // Before SUBSCRIBE is sent: messages may arrive before the SUBACK (3.8.4).
        const undo = requests.map((request) => held.take(member, request));
        delivery.offer();
        let ack: SubscribeAck;
        try {
          ack = await calls.send(client.subscribe(combined, call));
        } catch (error) {
          // What a member had is given back when it leaves.
          if (members.has(member)) for (const takeBack of undo.reverse()) takeBack();
          throw error;
        }
        for (const [index, code] of ack.reasonCodes.entries()) if (code >= 0x80) undo[index]?.();
        return ack;
      },

      async unsubscribe(given, call) {
        use();
        for (const filter of given) filters.remove(member, filter);
        const last = given.filter((filter) => !filters.has(filter));
        if (last.length === 0) return { reasonCodes: given.map(() => 0) };
        const ack = await calls.send(held.unsubscribe(last, call));
        const codes = new Map(last.map((filter, index) => [filter, ack.reasonCodes[index] ?? 0]));
        return { ...ack, reasonCodes: given.map((filter) => codes.get(filter) ?? 0) };
      },

      async suspend(limits) {
        use();
        member.freeze();
        await calls.track(settleSuspension(limits));
      },

      async resume(limits) {
        use();
        member.thaw(standing);
        settlePatience();
        await calls.track(settleSuspension(limits));
      },

      async disconnect(call = {}) {
        use();
        // As Go does when the whole connection ends.
        if (members.size > 1 && !call.force && isConnected()) {
          await within(calls.answered(), call, 'disconnect').catch(reportedByEvents);
          if (!members.has(member)) return;
        }
        if (members.size === 1) return close(call);
        detach(member);
        member.sink.onEvent({ type: 'end' });
      },
    };
  }

  function join(sink: BoundarySink, own: MemberOptions = {}) {
    const { packetEvents = false, background = false, filters: wanted = [] } = own;
    const member = createMember({
      sink,
      packets: packetEvents,
      whenTabCloses: own.whenTabCloses ?? 'unsubscribe',
      onOverdue: settlePatience,
    });
    members.add(member);
    if (background) inBackground = true;
    // The page subscribes to them once it is connected; their messages may arrive before.
    for (const request of wanted) filters.add(member, request);
    delivery.joined();
    if (background || isConnected()) admit(member);
    settle().catch(reportedByEvents);

    return {
      /** Resolves once there is a connection, or at once in the background. When it rejects the member has left. */
      async ready(limits: CallOptions): Promise<GoClient> {
        const client = clientOf(member);
        // While the others reconnect, a newcomer waits no longer than an attempt of its own would
        // take.
        const late = !isConnected() && (standing.length > 0 || inBackground);
        const timeout = limits.timeout || (late && !background ? connectTimeout : 0);
        if (late && standing.length > 0) client.wake().catch(reportedByEvents);
        try {
          await within(Promise.all([member.admission, opening]), { ...limits, timeout }, 'connect');
        } catch (error) {
          leave(member);
          throw error;
        }
        return client;
      },
      /** The page is frozen, or in the back/forward cache: it gets nothing, and nothing waits for it. */
      freeze(): void {
        member.freeze();
        settleSuspension().catch(reportedByEvents);
      },
      /** Tells it the current state, and delivers what waits for it. */
      thaw(): void {
        member.thaw(standing);
        settlePatience();
        settleSuspension().catch(reportedByEvents);
      },
      /** The page is gone, whether it said so or crashed. */
      leave: () => leave(member),
    };
  }

  return {
    options,
    /** Whether it uses enhanced authentication, which cannot be added later. */
    authenticates,
    /** Set while it is being closed, and no page may join. Resolves when it is closed. */
    get ending() {
      return ending;
    },
    join,
  };
}

/** Ignores the failure of an internal call, which events report. */
function reportedByEvents(): void {}

const left = (): Error => failure('aborted', 'connect: the client was ended');
