/** For tests: a fleet whose broker the test plays. */

import { expect, vi } from 'vitest';
import type { ConnectOptions, Message, PublishOptions } from '../../client';
import { plainSettings, type Settings } from '../session/settings';
import { emptyForm, type FleetForm, planOf } from './fleet-plan';
import { createFleetRun, type Machinery } from './fleet-run';
import { type Link, property } from './fleet-subscriber';

interface Published {
  clientId: string;
  topic: string;
  payload: string;
  qos: number;
  mark: string;
  at: number;
}

/** A broker that delivers each message to its subscribers, and can be told to misbehave. */
function broker() {
  const published: Published[] = [];
  const handlers: { filter: string; handler(message: Message): void }[] = [];
  const open = new Map<string, { end(error?: unknown): void; options: ConnectOptions }>();
  const dialled: ConnectOptions[] = [];
  const ended: string[] = [];
  const rules = {
    refuse: (_options: ConnectOptions): unknown => undefined,
    /** How often a message is delivered, whether its publish fails, and whether the ack is held back. */
    deliver: (_message: Published): { times: number; error?: unknown; hold?: boolean } => ({ times: 1 }),
    will: (deliver: () => void): void => deliver(),
  };

  function deliver({ topic, payload, qos, mark }: Published): void {
    const message = { topic, qos, text: () => payload, properties: { userProperties: [[property, mark]] } };
    for (const { filter, handler } of handlers) {
      const parts = filter.split('/');
      const levels = topic.split('/');
      const fits =
        parts.length === levels.length && parts.every((part, n) => part === '+' || part === levels[n]);
      if (fits) handler(message as unknown as Message);
    }
  }

  const dial = vi.fn(async (options: ConnectOptions): Promise<Link> => {
    dialled.push(options);
    const refusal = rules.refuse(options);
    if (refusal) throw refusal;
    const clientId = String(options.clientId);
    const listeners: Record<string, ((...args: unknown[]) => void)[]> = {};
    const waiting: ((error: unknown) => void)[] = [];
    let gone = false;
    const end = (error?: unknown): void => {
      if (gone) return;
      gone = true;
      open.delete(clientId);
      for (const reject of waiting) reject({ code: 'not-connected', message: 'gone' });
      for (const listener of listeners.end ?? []) listener(error);
    };
    open.set(clientId, { end, options });
    return {
      cut() {
        end();
        const { topic = '', payload = '', properties } = options.will ?? {};
        const [[, mark = ''] = []] = (properties?.userProperties ?? []) as [string, string][];
        if (topic)
          rules.will(() => deliver({ clientId, topic, payload: String(payload), qos: 0, mark, at: 0 }));
      },
      client: {
        on(event: string, listener: (...args: never[]) => void) {
          listeners[event] = [...(listeners[event] ?? []), listener as (...args: unknown[]) => void];
          return this;
        },
        async subscribe(filter: string, _how: object, handler: (message: Message) => void) {
          handlers.push({ filter, handler });
        },
        publish(topic: string, given: string | Uint8Array, { qos = 0, properties }: PublishOptions) {
          const [[, mark = ''] = []] = (properties?.userProperties ?? []) as [string, string][];
          const payload = typeof given === 'string' ? given : new TextDecoder().decode(given);
          const message = { clientId, topic, payload, qos, mark, at: performance.now() };
          published.push(message);
          const { times, error, hold } = rules.deliver(message);
          for (let n = 0; n < times; n++) deliver(message);
          if (hold) return new Promise((_, reject) => waiting.push(reject));
          return error ? Promise.reject(error) : Promise.resolve({ reasonCode: 0 });
        },
        async end() {
          ended.push(clientId);
          end();
        },
      } as unknown as Link['client'],
    };
  });
  return { dial, dialled, published, open, ended, rules, deliver };
}

export function made(
  changes: Partial<FleetForm> = {},
  settings: Partial<Settings> = {},
  message?: Machinery['message'],
) {
  const played = broker();
  const { plan, errors } = planOf({ ...emptyForm('t'), jitter: '0', duration: '', ...changes }, 'private');
  expect(errors).toEqual({});
  const fleet = createFleetRun(
    plan,
    { ...plainSettings, url: 'ws://127.0.0.1/mqtt', ...settings },
    {
      dial: played.dial,
      now: () => performance.now(),
      date: Date.now,
      random: Math.random,
      run: 'run1',
      ...(message && { message }),
    },
  );
  const timer = setInterval(fleet.tick, 10);
  return { ...played, fleet, timer };
}

export const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);
