/** What is to be published, and how it went. */

import { batch, signal } from '@preact/signals';
import type { Client, PublishResult, QoS } from '../../client';
import { atField, type Failure, inOneLine } from '../connection/explain';
import { visible } from '../text';
import { type Clock, every } from './repeat';
import { expand, hasCounter } from './template';

export interface Draft {
  topic: string;
  payload: string;
  qos: QoS;
  retain: boolean;
  repeat: boolean;
  /** As typed. */
  seconds: string;
}

export interface Outcome {
  id: number;
  at: number;
  topic: string;
  tone: 'waiting' | 'good' | 'warning' | 'bad';
  text: string;
}

export interface Repeating {
  topic: string;
  seconds: number;
  sent: number;
}

export interface Dependencies {
  client(): Client | undefined;
  toFailure(error: unknown): Failure;
  clock: Clock;
}

/** Outcomes kept. */
const history = 50;
/** Beats are left out while this many publishes wait for their answers. */
const inFlightLimit = 100;
const timeout = 10_000;
const shortest = 0.1;
const longest = 86_400;

/** Failures of a message that never reached the broker. */
const unsent: ReadonlySet<Failure['code']> = new Set(['bad-option', 'not-connected', 'packet-too-large']);

/** No matching subscribers (3.4.2.1). */
const noSubscribers = 0x10;

export function wordsFor(
  result: PublishResult,
  qos: QoS,
  milliseconds: number,
): Pick<Outcome, 'tone' | 'text'> {
  const said = result.reasonString ? ` (${visible(result.reasonString)})` : '';
  if (qos === 0) return { tone: 'good', text: `Sent${said}` };
  const answer = `Acknowledged after ${Math.max(1, Math.round(milliseconds))} ms`;
  if (result.reasonCode === noSubscribers) {
    return { tone: 'warning', text: `${answer}: no subscribers${said}` };
  }
  return { tone: 'good', text: `${answer}${said}` };
}

export type Publisher = ReturnType<typeof createPublisher>;

export function createPublisher(deps: Dependencies, topic: string) {
  const draft = signal<Draft>({
    topic,
    payload: 'messages: {{n}}',
    qos: 0,
    retain: false,
    repeat: false,
    seconds: '1',
  });
  const outcomes = signal<Outcome[]>([]);
  const fieldErrors = signal<Record<string, string>>({});
  /** What `{{n}}` stands for next. */
  const next = signal(0);
  const repeating = signal<Repeating | undefined>(undefined);

  let ids = 0;
  let inFlight = 0;
  let stopBeats = () => {};

  function edit(changes: Partial<Draft>): void {
    const errors = { ...fieldErrors.value };
    for (const name of Object.keys(changes)) delete errors[name];
    batch(() => {
      draft.value = { ...draft.value, ...changes };
      fieldErrors.value = errors;
    });
  }

  function add(outcome: Omit<Outcome, 'id' | 'at'>): number {
    const id = ids++;
    outcomes.value = [{ id, at: Date.now(), ...outcome }, ...outcomes.value].slice(0, history);
    return id;
  }

  function settle(id: number, change: Pick<Outcome, 'tone' | 'text'>): void {
    outcomes.value = outcomes.value.map((outcome) =>
      outcome.id === id ? { ...outcome, ...change } : outcome,
    );
  }

  function fail(id: number, failure: Failure): void {
    batch(() => {
      settle(id, { tone: 'bad', text: `Failed: ${inOneLine(failure)}` });
      if (failure.field && failure.field in draft.value) {
        fieldErrors.value = { ...fieldErrors.value, [failure.field]: atField(failure) };
      }
      // What is wrong with the message itself is wrong at every beat.
      if (failure.code === 'bad-option' || failure.code === 'packet-too-large') stop();
    });
  }

  async function send(what: Draft): Promise<void> {
    const client = deps.client();
    if (!client) {
      add({ topic: what.topic, tone: 'bad', text: 'Failed: not connected to a broker' });
      return;
    }
    const n = next.value;
    if (hasCounter(what.payload)) next.value = n + 1;
    const id = add({ topic: what.topic, tone: 'waiting', text: 'Sending…' });
    const begin = deps.clock.now();
    inFlight++;
    try {
      const { qos, retain } = what;
      const result = await client.publish(what.topic, expand(what.payload, n), { qos, retain, timeout });
      settle(id, wordsFor(result, qos, deps.clock.now() - begin));
    } catch (error) {
      const failure = deps.toFailure(error);
      // Nothing left with this number, so the next message has it.
      if (unsent.has(failure.code) && next.value === n + 1) next.value = n;
      fail(id, failure);
    } finally {
      inFlight--;
    }
  }

  function start(what: Draft, seconds: number): void {
    batch(() => {
      next.value = 0;
      repeating.value = { topic: what.topic, seconds, sent: 0 };
    });
    let stopped = false;
    const halt = every(deps.clock, seconds * 1000, () => {
      if (stopped || inFlight >= inFlightLimit) return;
      if (repeating.value) repeating.value = { ...repeating.value, sent: repeating.value.sent + 1 };
      void send(what);
    });
    stopBeats = () => {
      stopped = true;
      halt();
    };
  }

  /** Once, or until `stop` when the draft says so. */
  function publish(): void {
    const what = draft.value;
    fieldErrors.value = {};
    if (!what.repeat) {
      void send(what);
      return;
    }
    const seconds = Number(what.seconds);
    if (what.seconds.trim() === '' || !(seconds >= shortest && seconds <= longest)) {
      fieldErrors.value = { seconds: `Between ${shortest} and ${longest} seconds` };
      return;
    }
    if (!deps.client()) {
      void send(what);
      return;
    }
    stop();
    start(what, seconds);
  }

  function stop(): void {
    stopBeats();
    stopBeats = () => {};
    repeating.value = undefined;
  }

  return { draft, outcomes, fieldErrors, next, repeating, edit, publish, stop };
}
