/** For tests: the scripts of a connection, whose worker the test plays. */

import { signal } from '@preact/signals';
import { vi } from 'vitest';
import type { Client, Message } from '../../client';
import { browser } from '../core/testing';
import type { Readable } from '../payload/guess';
import { readingsOf } from '../session/readings';
import { createScripts } from '../session/scripts';
import { createHost } from './host';
import { createLibrary } from './library';
import type { FromWorker, ToWorker } from './protocol';
import type { Script } from './text';

export const url = 'ws://broker/mqtt';
export const script = (name: string, more: Partial<Script> = {}): Script => ({
  name,
  filter: '#',
  code: 'for (;;) {}',
  rate: 7,
  ...more,
});

let received = 0;
export const message = (topic: string, payload = new Uint8Array(1)) =>
  ({ topic, payload, qos: 0, retain: false, receivedAt: ++received, properties: {} }) as unknown as Message &
    Readable;

export function open(...scripts: Script[]) {
  const library = createLibrary(browser().open());
  library.add(...scripts);
  const published = vi.fn(async () => ({}));
  const client = signal<Client | undefined>({
    url: `${url}?token=1`,
    publish: published,
  } as unknown as Client);
  const hook = createScripts();
  const engines: {
    posted: ToWorker[];
    say(message: FromWorker): void;
    break(): void;
    ended: boolean;
  }[] = [];
  const entries: { message: Message; alert?: string }[] = [];
  const grown: [number, number][] = [];
  let waiting: (() => void)[] = [];
  let time = 0;
  const readings = readingsOf();
  const notify = vi.fn();
  const deps: Parameters<typeof createHost>[0] = {
    scripts: hook,
    client,
    library,
    feed: {
      next: () => entries.length,
      get: (number: number) => entries[number] as never,
      grow: (number: number, by: number) => void grown.push([number, by]),
      show() {},
    },
    readings,
    start(heard, broken) {
      const engine = { posted: [] as ToWorker[], say: heard, break: () => broken('gone'), ended: false };
      engines.push(engine);
      return {
        post: (one) => engine.posted.push(one),
        terminate() {
          engine.ended = true;
        },
      };
    },
    lineOfHang: async () => 42,
    clock: {
      now: () => time,
      after(_, call) {
        waiting.push(call);
        return () => {
          waiting = waiting.filter((other) => other !== call);
        };
      },
    },
    paint: (call) => call(),
    notify,
  };
  const host = createHost(deps);
  /** A batch, as the session hands it on. */
  const hear = (...messages: Message[]) => {
    hook.hear(messages);
    entries.push(...messages.map((one) => ({ message: one })));
  };
  const second = () => {
    time += 1000;
    for (const call of waiting.splice(0)) call();
  };
  const turn = (name: string, on = true) => host.turn(name, on, client.peek()?.url ?? url);
  const posted = (kind: ToWorker['kind']) => engines.at(-1)?.posted.filter((one) => one.kind === kind) ?? [];
  return {
    host,
    hook,
    library,
    client,
    engines,
    entries,
    grown,
    hear,
    second,
    turn,
    posted,
    published,
    readings,
    notify,
    deps,
  };
}
