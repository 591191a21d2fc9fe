/** For tests: a broker with one session, at the other end of a network that takes its time. */

/** Messages that the broker has in flight: mosquitto's default. */
const inflightLimit = 20;

/** Runs tasks later, in their order, until it is cut. */
export function createLine(delay: () => number) {
  let last = 0;
  let isCut = false;
  return {
    send(task: () => void): void {
      last = Math.max(last, performance.now() + delay());
      setTimeout(() => isCut || task(), last - performance.now());
    },
    cut(): void {
      isCut = true;
    },
  };
}

export interface Packet {
  id: number;
  topic: string;
  text: string;
  qos: 1 | 2;
  dup: boolean;
}

/** A program's connection. */
export interface Link {
  acknowledge(ids: number[]): void;
  subscribe(filters: string[], done: () => void): void;
  unsubscribe(filters: string[], done: () => void): void;
  disconnect(): void;
}

export function createBroker(delay: () => number) {
  /** Whether there was a connection. */
  let known = false;
  const filters = new Set<string>();
  const waiting: Packet[] = [];
  const inFlight = new Map<number, Packet>();
  let lastId = 0;
  let send: ((packets: Packet[]) => void) | undefined;
  let cut = (): void => {};

  /** Sends what there is room for, behind what is sent again. */
  function sendOn(again: Packet[] = []): void {
    if (!send) return;
    const fresh = waiting.splice(0, Math.max(0, inflightLimit - inFlight.size));
    for (const packet of fresh) inFlight.set(packet.id, packet);
    const packets = [...again.map((packet) => ({ ...packet, dup: true })), ...fresh];
    if (packets.length > 0) send(packets);
  }

  function connect(accepted: (present: boolean) => void, receive: (packets: Packet[]) => void): Link {
    const [there, back] = [createLine(delay), createLine(delay)];
    const hangUp = (): void => {
      there.cut();
      back.cut();
      send = undefined;
    };
    there.send(() => {
      cut();
      const present = known;
      known = true;
      cut = hangUp;
      back.send(() => accepted(present));
      send = (packets) => back.send(() => receive(packets));
      sendOn([...inFlight.values()]);
    });
    return {
      acknowledge: (ids) =>
        there.send(() => {
          for (const id of ids) inFlight.delete(id);
          sendOn();
        }),
      subscribe: (list, done) =>
        there.send(() => {
          for (const filter of list) filters.add(filter);
          back.send(done);
        }),
      unsubscribe: (list, done) =>
        there.send(() => {
          for (const filter of list) filters.delete(filter);
          back.send(done);
        }),
      disconnect: hangUp,
    };
  }

  return {
    connect,
    /** A session with these subscriptions. */
    keep(list: string[]): void {
      known = true;
      for (const filter of list) filters.add(filter);
    },
    publish(topic: string, text: string, qos: 1 | 2): void {
      if (!filters.has(topic)) return;
      lastId++;
      waiting.push({ id: lastId, topic, text, qos, dup: false });
      sendOn();
    },
  };
}

export type Broker = ReturnType<typeof createBroker>;
