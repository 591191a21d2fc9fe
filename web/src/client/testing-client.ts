/** For tests: a client on a boundary that the test plays. */

import type { Page } from '../platform/page-lifecycle';
import type { Boundary, BoundaryClient, BoundarySink } from '../protocol/boundary';
import { connectSettings, type Settings } from './checks/options';
import { startClient } from './client';
import { encodeBatch, type Given } from './testing';
import { assumed } from './transport/connecting';
import type { Client, ConnectOptions, Message } from './types';

export const connack = assumed({ url: '', clientId: 'assigned' });

/** A Go boundary that accepts everything, and records the calls. */
export function engine(methods: Partial<BoundaryClient> = {}) {
  const calls: unknown[][] = [];
  /** What the test gives for a method answers in place of `otherwise`. */
  const record =
    (name: keyof BoundaryClient, recorded: number, otherwise: (first: never) => unknown = () => undefined) =>
    async (...args: unknown[]) => {
      calls.push([name, ...args.slice(0, recorded)]);
      const given = methods[name] as ((...args: unknown[]) => unknown) | undefined;
      return (await given?.(...args)) ?? otherwise(args[0] as never);
    };
  const link = {
    publish: record('publish', 3, () => ({ reasonCode: 0 })),
    subscribe: record('subscribe', 2, (list: { qos: number }[]) => ({
      reasonCodes: list.map(({ qos }) => qos),
    })),
    unsubscribe: record('unsubscribe', 1, (filters: string[]) => ({ reasonCodes: filters.map(() => 0) })),
    request: record('request', 3, () => encodeBatch([{ topic: 'answer' }])),
    reauthenticate: record('reauthenticate', 1),
    suspend: record('suspend', 0),
    resume: record('resume', 0),
    wake: record('wake', 1),
    ping: record('ping', 1, () => 12.5),
    tellPackets: record('tellPackets', 1),
    disconnect: record('disconnect', 1),
  } as unknown as BoundaryClient;
  let sink!: BoundarySink;
  const boundary: Boundary = {
    connect: async (all) => {
      sink = all;
      sink.onEvent({ type: 'connect', connack });
      return { ...link, ...(methods.publish && { publish: methods.publish }) };
    },
  };
  /** Whether the batch has been consumed, as far as one task later. */
  function receive(...messages: Given[]): { consumed: boolean; done: Promise<void> } {
    const state = { consumed: false, done: Promise.resolve() };
    state.done = Promise.resolve(sink.onBatch(encodeBatch(messages), messages.length, 0)).then(() => {
      state.consumed = true;
    });
    return state;
  }
  const sent = (name: string) => calls.filter(([method]) => method === name).map(([, ...rest]) => rest);
  return { boundary, calls, sent, receive, sink: () => sink };
}

/** Resolves when the broker has accepted. */
export async function openClient(
  boundary: Boundary,
  settings: Settings,
  page?: Page,
  shared = false,
): Promise<Client> {
  const open = async () => ({ boundary, ready: Promise.resolve(), shared });
  const { client, connected } = startClient({ settings, open, once: true, ...(page && { page }) });
  await connected;
  return client;
}

export async function connected(
  methods: Partial<BoundaryClient> = {},
  options: ConnectOptions = {},
  page?: Page,
  shared = false,
) {
  const fake = engine(methods);
  const settings = connectSettings('ws://broker.test/mqtt', options);
  const client = await openClient(fake.boundary, settings, page, shared);
  await new Promise<void>((resolve) => void client.once('connect', () => resolve()));
  return { client, ...fake };
}

/** Resolves after pending tasks and microtasks. */
export const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

export const topics = (messages: Message[]): string[] => messages.map(({ topic }) => topic);
