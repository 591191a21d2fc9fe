/**
 * The scripts of one connection: which of them run, which messages they get, and what they do. They
 * run in a worker, which is started with the first script.
 */

import { batch, computed, effect, type ReadonlySignal, signal, untracked } from '@preact/signals';
import type { Client, Message, PublishOptions } from '../../client';
import { compile } from '../../client/routing/topic-filter';
import { inOneLine, toFailure } from '../core/failure';
import { plural, t, type Words } from '../core/i18n/i18n';
import { type Clock, every } from '../core/repeat';
import { brief } from '../core/text';
import type { Feed } from '../log/feed';
import type { Readable } from '../payload/guess';
import type { Readings } from '../session/readings';
import type { Scripts } from '../session/scripts';
import { withoutSecrets } from '../session/settings';
import { bounds } from './bounds';
import { createDeliveries, type Delivery, deliveredOf } from './deliveries';
import type { Library } from './library';
import type { Act, FromWorker, Publication, Result, ToWorker } from './protocol';
import { isSame, type Script } from './text';
import { type LineOfHang, saidBy, telling, whyHung, whyStopped, wordsFor } from './words';

/** The worker, as far as it is used here. */
export interface Engine {
  post(message: ToWorker): void;
  terminate(): void;
}

export interface Dependencies {
  scripts: Scripts;
  client: ReadonlySignal<Client | undefined>;
  library: Pick<Library, 'entries' | 'find'>;
  feed: Pick<Feed, 'next' | 'get' | 'grow' | 'show'>;
  readings: Pick<Readings, 'note'>;
  /** Starts a worker. `broken` is called if it can't be loaded, or fails as a whole. */
  start(heard: (message: FromWorker) => void, broken: (why: string) => void): Engine;
  lineOfHang: LineOfHang;
  clock: Clock;
  /** Runs `call` when the log and the states are to be drawn. */
  paint(call: () => void): void;
  notify(title: string, text: string): void;
}

export interface Line {
  number: number;
  /** Milliseconds since 1970. */
  at: number;
  /** The script's name. */
  by: string;
  kind: 'log' | 'error' | 'alert';
  /** In the current language. */
  readonly text: string;
}

export interface State {
  phase: 'starting' | 'running';
  messages: number;
  /** Errors that it threw, as far as they are within the limit of a second. */
  failed: number;
  published: number;
  /** Messages that it did not get, since it could not keep up, and publishes it was not allowed. */
  dropped: number;
  refused: number;
  /** Its code has been changed since. */
  changed: boolean;
}

interface Running {
  id: number;
  name: string;
  /** As it was when it began. */
  script: Script;
  state: Omit<State, 'changed'>;
  selects(topic: string): boolean;
  /** It has returned a value. */
  decodes: boolean;
}

export type Host = ReturnType<typeof createHost>;

export function createHost(deps: Dependencies) {
  const { scripts, library, feed, clock } = deps;
  const log = signal<readonly Line[]>([]);
  const states = signal<ReadonlyMap<string, State>>(new Map());
  /** Why a script does not run any more, by its name. */
  const whys = signal<ReadonlyMap<string, Words>>(new Map());
  const stops = computed(() => new Map([...whys.value].map(([name, why]) => [name, why()])));

  let engine: Engine | undefined;
  let stopPinging = () => {};
  let running: Running[] = [];
  let ids = 0;
  let lines: Line[] = [];
  let written = 0;
  /** The program that the worker is running. */
  let current: number | undefined;
  /** Pings without an answer. */
  let silent = 0;
  let heard = false;

  const deliveries = createDeliveries();
  let unacknowledged = 0;
  let notified = Number.NEGATIVE_INFINITY;

  function draw(): void {
    deps.paint(() => {
      batch(() => {
        log.value = lines;
        states.value = new Map(
          running.map(({ name, script, state }) => {
            const now = library.find(name);
            return [name, { ...state, changed: now !== undefined && !isSame(now, script) }];
          }),
        );
      });
    });
  }

  function write(by: string, kind: Line['kind'], words: Words): void {
    const line = telling({ number: written++, at: Date.now(), by, kind }, words);
    lines = [...lines.slice(1 - bounds.log), line];
    draw();
  }

  function end(): void {
    stopPinging();
    engine?.terminate();
    engine = undefined;
    deliveries.clear();
  }

  function begin(): Engine {
    const started = deps.start(
      (message) => {
        if (engine === started) hear(message);
      },
      (why) => {
        if (engine !== started) return;
        const all = running;
        end();
        for (const one of all) stop(one, () => wordsFor('unloaded', brief(why)));
      },
    );
    silent = 0;
    heard = false;
    stopPinging = every(clock, 1000, () => {
      // The worker can't answer before it is loaded.
      if (silent++ >= (heard ? bounds.silence : bounds.loading)) hung();
      else started.post({ kind: 'ping' });
    });
    return started;
  }

  function load({ id, name, script: { code, rate }, state }: Running): void {
    state.phase = 'starting';
    engine ??= begin();
    engine.post({ kind: 'load', program: { id, code, rate, state: scripts.states.get(name) } });
  }

  function forgive(name: string): void {
    whys.value = new Map([...whys.peek()].filter(([other]) => other !== name));
  }

  function run(name: string): void {
    const script = library.find(name);
    if (!script || script.foreign || running.some((one) => one.name === name)) return;
    if (running.length >= bounds.running) {
      forget(name, () => t('Not started: {count} scripts are already running', { count: bounds.running }));
      return;
    }
    const state = { messages: 0, failed: 0, published: 0, dropped: 0, refused: 0 };
    const one: Running = {
      id: ++ids,
      name,
      script,
      state: { phase: 'starting', ...state },
      selects: compile(script.filter),
      decodes: false,
    };
    running = [...running, one];
    forgive(name);
    load(one);
    draw();
  }

  function leave(one: Running): void {
    running = running.filter((other) => other !== one);
    engine?.post({ kind: 'unload', id: one.id });
    scripts.states.delete(one.name);
    if (running.length === 0) end();
    draw();
  }

  /** Switches a script off, and reports why. */
  function forget(name: string, why: Words): void {
    write(name, 'error', why);
    const { url, names } = scripts.on.peek();
    batch(() => {
      whys.value = new Map([...whys.peek(), [name, why]]);
      scripts.on.value = { url, names: names.filter((other) => other !== name) };
    });
  }

  function stop(one: Running, why: Words): void {
    if (!running.includes(one)) return;
    leave(one);
    forget(one.name, why);
  }

  /** Only ending the worker stops a call that never returns. The other scripts start again. */
  function hung(): void {
    const culprit = running.find(({ id }) => id === current) ?? running[0];
    const others = running.filter((one) => one !== culprit);
    end();
    const seconds = heard ? bounds.silence : bounds.loading;
    if (culprit) stop(culprit, () => whyHung(seconds));
    for (const one of others) {
      load(one);
      write(one.name, 'error', () => t('Restarted, because another script hung'));
    }
  }

  async function publish(one: Running, { topic, payload, options, correlationData }: Publication) {
    const client = deps.client.peek();
    if (!client || unacknowledged >= bounds.unacknowledged) {
      one.state.refused++;
      draw();
      return;
    }
    unacknowledged++;
    try {
      const { properties, ...rest } = options;
      const given = { ...properties, ...(correlationData !== undefined && { correlationData }) };
      await client.publish(topic, payload, { ...rest, properties: given } as PublishOptions);
      one.state.published++;
    } catch (error) {
      one.state.refused++;
      const failure = toFailure(error);
      write(one.name, 'error', () => t('Not published: {why}', { why: inOneLine(failure) }));
    } finally {
      unacknowledged--;
      draw();
    }
  }

  function alert(one: Running, text: string, delivery: Delivery | undefined): void {
    const words = brief(text, bounds.alert);
    write(one.name, 'alert', () => words);
    const entry = delivery && feed.get(delivery.number);
    if (entry && entry.message === delivery.message) {
      entry.alert = words;
      feed.grow(delivery.number, 2 * words.length);
      feed.show();
    }
    if (clock.now() - notified < bounds.notifications) return;
    notified = clock.now();
    deps.notify(one.name, words);
  }

  function limited(one: Running, { publications, alerts, lines }: Extract<Act, { kind: 'limited' }>): void {
    one.state.refused += publications;
    const told = () => [
      publications > 0 && plural(publications, '{count} publish', '{count} publishes'),
      alerts > 0 && plural(alerts, '{count} alert', '{count} alerts'),
      lines > 0 && plural(lines, '{count} line of the log', '{count} lines of the log'),
    ];
    const what = () => told().filter(Boolean).join(', ');
    write(one.name, 'error', () => t('Left out, over the limit for one second: {what}', { what: what() }));
  }

  function did(one: Running, act: Act, delivery: Delivery | undefined): void {
    if (act.kind === 'publish') void publish(one, act.publication);
    else if (act.kind === 'alert') alert(one, act.text, delivery);
    else if (act.kind === 'limited') limited(one, act);
    else if (act.kind === 'stopped')
      void whyStopped(act, one.script.code, deps.lineOfHang).then((why) => stop(one, why));
    else {
      if (act.kind === 'error') one.state.failed++;
      write(one.name, act.kind, saidBy(act));
    }
  }

  function done({ number, json, by }: Result): void {
    const delivery = deliveries.get(number);
    if (!delivery) return;
    const one = running.find(({ id }) => id === by);
    if (json !== undefined && one) {
      one.decodes = true;
      const { message } = delivery;
      const reading = { json, by: one.name };
      message.decoded = reading;
      deps.readings.note(message, reading);
      if (feed.get(delivery.number)?.message === message) feed.grow(delivery.number, 2 * json.length);
    }
    deliveries.settle(number);
  }

  function hear(message: FromWorker): void {
    silent = 0;
    heard = true;
    const one = 'id' in message ? running.find(({ id }) => id === message.id) : undefined;
    if (message.kind === 'running') current = message.id;
    else if (message.kind === 'done') {
      message.results.forEach(done);
      feed.show();
      draw();
    } else if (one && message.kind === 'loaded') {
      one.state.phase = 'running';
      draw();
    } else if (one && message.kind === 'state') {
      // Changed code starts with an empty state.
      if (message.json !== '' && library.find(one.name)?.code === one.script.code)
        scripts.states.set(one.name, message.json);
      else scripts.states.delete(one.name);
    } else if (one && message.kind === 'did') {
      did(one, message.act, deliveries.get(message.number));
    }
  }

  /** In a flood, messages beyond the limits are left out and counted: a backlog would only grow. */
  function take(messages: readonly (Message & Readable)[]): void {
    if (running.length === 0 || !engine) return;
    const first = feed.next();
    const posted: Extract<ToWorker, { kind: 'deliver' }>['messages'] = [];
    messages.forEach((message, n) => {
      const to = running.filter(({ selects }) => selects(message.topic));
      if (to.length === 0) return;
      const decodes = to.some((one) => one.decodes);
      const number = deliveries.add(message, first + n, decodes);
      for (const one of to) one.state[number === undefined ? 'dropped' : 'messages']++;
      if (number === undefined) return;
      posted.push({ number, message: deliveredOf(message), to: to.map(({ id }) => id) });
    });
    if (posted.length > 0) engine.post({ kind: 'deliver', messages: posted });
    draw();
  }

  const stopWatching = effect(() => {
    const { url, names } = scripts.on.value;
    const client = deps.client.value;
    const usable = new Set(library.entries.value.flatMap(({ name, foreign }) => (foreign ? [] : name)));
    const here = client !== undefined && withoutSecrets(client.url) === url;
    untracked(() => {
      // Gone, or not reviewed yet, as in a profile that came from a file.
      const left = names.filter((name) => usable.has(name));
      if (left.length < names.length) {
        scripts.on.value = { url, names: left };
        return;
      }
      const wanted = here ? names : [];
      for (const one of running) if (!wanted.includes(one.name)) leave(one);
      for (const name of wanted) run(name);
      draw();
    });
  });
  scripts.hear = take;

  /** For the broker in use, or the one in the form. */
  function turn(name: string, on: boolean, address: string): void {
    const url = withoutSecrets(address);
    const { names, url: before } = scripts.on.peek();
    const others = before === url ? names.filter((other) => other !== name) : [];
    scripts.states.delete(name);
    batch(() => {
      if (on) forgive(name);
      scripts.on.value = { url, names: on ? [...others, name] : others };
    });
  }

  /** With its code as it is now, and without its state. */
  function restart(name: string): void {
    const one = running.find((other) => other.name === name);
    if (one) leave(one);
    run(name);
  }

  function clear(): void {
    lines = [];
    log.value = [];
  }

  return {
    log,
    states,
    stops,
    on: scripts.on,
    turn,
    restart,
    clear,
    dispose() {
      stopWatching();
      scripts.hear = () => {};
      running = [];
      end();
    },
  };
}
