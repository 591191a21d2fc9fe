/** For tests: tabs at a registry, whose Go boundary the test plays. */

import { decodeBatch } from '../../client/message';
import { encodeBatch } from '../../client/testing';
import { createPublishBatch } from '../../client/transport/publish-batch';
import type {
  Boundary,
  BoundarySink,
  ClientEvent,
  ConnackInfo,
  GoClient,
  SubscribeAck,
  Taking,
} from '../../protocol/boundary';
import { createRegistry, type Port } from './registry';

export const connack = { sessionPresent: false, clientId: 'me' } as ConnackInfo;
export const url = 'ws://broker.test/mqtt';

/** The Go boundary, played by the test: it accepts every connect unless told to wait. */
export function scripted(waits = false, sessionPresent = false) {
  const connects: Parameters<Boundary['connect']>[0][] = [];
  const calls: unknown[][] = [];
  let answer = (): void => {};
  /** What each method answers; it is recorded first. */
  const answers = {
    publish: async (): Promise<object> => ({ reasonCode: 0 }),
    request: async (): Promise<ArrayBuffer> => new ArrayBuffer(0),
    subscribe: async (list: unknown[]): Promise<SubscribeAck> => ({ reasonCodes: list.map(() => 0) }),
    unsubscribe: async (list: unknown[]): Promise<SubscribeAck> => ({ reasonCodes: list.map(() => 0) }),
    disconnect: async (): Promise<void> => {},
  };
  const record =
    (name: string, result: (first: never) => unknown) =>
    (...args: unknown[]) => {
      calls.push([name, ...args]);
      return result(args[0] as never);
    };
  const client = {
    publish: record('publish', () => answers.publish()),
    publishAll: record('publishAll', () => undefined),
    request: record('request', () => answers.request()),
    reauthenticate: record('reauthenticate', async () => {}),
    suspend: record('suspend', async () => {}),
    resume: record('resume', async () => {}),
    wake: record('wake', async () => {}),
    ping: record('ping', async () => 2),
    tellPackets: record('tellPackets', async () => {}),
    subscribe: record('subscribe', (list) => answers.subscribe(list)),
    unsubscribe: record('unsubscribe', (list) => answers.unsubscribe(list)),
    disconnect: record('disconnect', () => answers.disconnect()),
  } as unknown as GoClient;
  const boundary: Boundary<GoClient> = {
    async connect(all) {
      connects.push(all);
      if (waits) {
        await new Promise<void>((resolve, reject) => {
          answer = resolve;
          all.signal?.addEventListener('abort', () => reject({ code: 'aborted', message: 'given up' }));
        });
      }
      all.onEvent({ type: 'connect', connack: { ...connack, sessionPresent } });
      return client;
    },
  };
  const sink = (): BoundarySink => connects.at(-1) as BoundarySink;
  return { registry: createRegistry(boundary), connects, calls, answers, sink, answer: () => answer() };
}

/** A tab of the test, and what it got. */
export function tab(port: Port) {
  const events: ClientEvent['type'][] = [];
  const batches: string[][] = [];
  const errors: string[] = [];
  let dropped = 0;
  const taking: (() => void)[] = [];
  const self = {
    port,
    events,
    batches,
    errors,
    /** All topics, in order. */
    topics: () => batches.flat(),
    /** Lets go of the batches that it holds. */
    take: () => {
      for (const done of taking.splice(0)) done();
    },
    dropped: () => dropped,
    connect: (options: Partial<Parameters<Boundary['connect']>[0]> = {}) =>
      port.boundary.connect({
        url,
        onEvent(event) {
          events.push(event.type);
          if (event.type === 'error') errors.push(`${event.error.code}: ${event.error.message}`);
        },
        onBatch: (buffer, count, lost) => {
          // As a page gets it.
          const [got] = structuredClone([buffer], { transfer: [buffer] }) as [ArrayBuffer];
          batches.push(decodeBatch(got, count).map(({ topic }) => topic));
          dropped += lost;
          return new Promise((resolve) => taking.push(resolve));
        },
        ...options,
      }),
  };
  return self;
}

export async function twoTabs(sessionPresent = false) {
  const go = scripted(false, sessionPresent);
  const a = tab(go.registry.attach());
  const b = tab(go.registry.attach());
  const [first, second] = [await a.connect(), await b.connect()];
  return { ...go, a, b, first, second };
}

export const batch = (...topics: string[]) => encodeBatch(topics.map((topic) => ({ topic })));
/** The same, of QoS 1. */
export const owed = (...topics: string[]) => encodeBatch(topics.map((topic) => ({ topic, qos: 1 })));
/** As `publishAll` takes them. */
export function publishes(...topics: string[]): Uint8Array {
  const batches: Uint8Array[] = [];
  const { add, flush } = createPublishBatch(({ records }) => batches.push(records));
  for (const [index, topic] of topics.entries()) add(index, 1, topic, '', { qos: 1 }, undefined, 0);
  flush();
  return batches[0] as Uint8Array;
}
export const subscription = (topic: string) => [{ topic, qos: 0 as const }];
/** After all microtasks that are due. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));

/** How far a batch is, as Go sees it. */
export function follow(taking: undefined | Taking) {
  const state = { next: !taking, taken: !taking };
  taking?.then(() => {
    state.taken = true;
  });
  (taking?.next ?? taking)?.then(() => {
    state.next = true;
  });
  return state;
}
