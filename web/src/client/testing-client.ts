/** For tests: a client on a boundary that the test plays. */

import type { Page } from '../platform/page-lifecycle';
import type { Boundary, BoundaryClient, BoundarySink, ConnackInfo } from '../protocol/boundary';
import { connectSettings, type Settings } from './checks/options';
import { startClient } from './client';
import { encodeBatch, type Given } from './testing';
import type { Client, ConnectOptions, Message } from './types';

export const connack: ConnackInfo = {
  sessionPresent: false,
  reasonCode: 0,
  clientId: 'assigned',
  properties: {
    sessionExpiryInterval: 0,
    receiveMaximum: 65_535,
    maximumQoS: 2,
    retainAvailable: true,
    maximumPacketSize: 0,
    topicAliasMaximum: 0,
    wildcardSubscriptionAvailable: true,
    subscriptionIdentifiersAvailable: true,
    sharedSubscriptionAvailable: true,
    serverKeepAlive: 60,
  },
};

/** A Go boundary that accepts everything, and records the calls. */
export function engine(methods: Partial<BoundaryClient> = {}) {
  const calls: unknown[][] = [];
  const link: BoundaryClient = {
    publish: async (topic, payload, options) => {
      calls.push(['publish', topic, payload, options]);
      return { reasonCode: 0 };
    },
    subscribe: async (subscriptions, options) => {
      calls.push(['subscribe', subscriptions, options]);
      return (
        methods.subscribe?.(subscriptions, options) ?? { reasonCodes: subscriptions.map(({ qos }) => qos) }
      );
    },
    unsubscribe: async (filters, options) => {
      calls.push(['unsubscribe', filters]);
      return methods.unsubscribe?.(filters, options) ?? { reasonCodes: filters.map(() => 0) };
    },
    request: async (topic, payload, options) => {
      calls.push(['request', topic, payload, options]);
      return methods.request?.(topic, payload, options) ?? encodeBatch([{ topic: 'answer' }]);
    },
    reauthenticate: async (options) => {
      calls.push(['reauthenticate', options]);
      await methods.reauthenticate?.(options);
    },
    suspend: async () => void calls.push(['suspend']),
    resume: async () => void calls.push(['resume']),
    wake: async (options) => {
      calls.push(['wake', options]);
      await methods.wake?.(options);
    },
    ping: async (options) => {
      calls.push(['ping', options]);
      return 12.5;
    },
    tellPackets: async (options) => void calls.push(['tellPackets', options]),
    disconnect: async (options) => {
      calls.push(['disconnect', options]);
      await methods.disconnect?.(options);
    },
  };
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
