/** For tests: a connection whose clients and brokers the test plays. */

import { vi } from 'vitest';
import type { Client, ClientEvents, ConnectOptions } from '../../client';
import type { Failure } from '../core/failure';
import { errorOf } from '../core/testing';
import { type Config, standalone } from './config';
import { createConnection, type Dependencies } from './connection';
import { explain, type Surroundings } from './explain';

export const page = 'http://127.0.0.1:8080/';
export const publicUrl = 'ws://broker.emqx.io:8083/mqtt';
export const embeddedUrl = 'ws://127.0.0.1:8080/mqtt';
export const config: Config = {
  version: '1',
  brokers: [...standalone.brokers, { name: 'This server', url: embeddedUrl, embedded: true }],
};

type Listeners = { [E in keyof ClientEvents]?: (...args: ClientEvents[E]) => void };

/** A client as far as the store looks at it. */
export function fakeClient() {
  const listeners: Listeners = {};
  const state = { connected: true };
  const end = vi.fn(async () => {});
  const client = {
    get connected() {
      return state.connected;
    },
    end,
    on: (event: keyof ClientEvents, listener: () => void) => Object.assign(listeners, { [event]: listener }),
  };
  function emit<E extends keyof ClientEvents>(event: E, ...args: ClientEvents[E]) {
    const listener = listeners[event] as ((...args: ClientEvents[E]) => void) | undefined;
    listener?.(...args);
  }
  return { client: client as unknown as Client, emit, end, state };
}

/** `dial` answers each address with a client or rejects. */
export function set(
  dial: (options: ConnectOptions) => Promise<Client>,
  survey?: () => Promise<Surroundings>,
  program = async () => {},
) {
  const dialled: string[] = [];
  const deps = {
    connect: vi.fn((options: ConnectOptions) => {
      dialled.push(String(options.url));
      return dial(options);
    }),
    program: vi.fn(program),
    survey: vi.fn(survey ?? (async () => ({ url: publicUrl, page, reach: 'silent' as const }))),
    explainer: vi.fn(async () => explain),
    page,
    age: () => 700,
    onClient: vi.fn(async () => {}),
    onGone: vi.fn(),
  } satisfies Dependencies;
  return { connection: createConnection(deps), deps, dialled };
}

export const down = errorOf({ code: 'network', message: 'closed' });

export function deferred<T>() {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

export function reject(failure: Failure): Promise<Client> {
  return Promise.reject(errorOf(failure));
}
