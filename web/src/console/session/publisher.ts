/** The message to publish, and the outcomes. */

import { batch, signal } from '@preact/signals';
import type { Client, Message as Received } from '../../client';
import { atField, type Failure, inOneLine, toFailure } from '../core/failure';
import { createFieldErrors, t, type Words } from '../core/i18n/i18n';
import { type Clock, every } from '../core/repeat';
import { formatBytes, visible } from '../core/text';
import type { Choices } from '../payload/choices';
import { emptyMessage, formField, type Message, numberOf, payloadOf, propertiesOf } from './message';
import { type Outcome, wordsFor } from './outcome';
import { expand, hasCounter } from './template';

export interface Draft extends Message {
  repeat: boolean;
  /** As typed. */
  seconds: string;
  /** How many, as typed; empty until stopped. */
  times: string;
}

export interface Repeating {
  topic: string;
  seconds: number;
  /** Without those that failed. */
  sent: number;
  /** Absent until there is one. */
  failed?: number;
  /** Absent if only the user stops it. */
  times?: number;
}

/** A message that was sent, to be sent again. */
export interface Sent {
  id: number;
  at: number;
  message: Message;
}

/** The state of a request: waiting until it has a message or a failure. */
export interface Answer {
  topic: string;
  milliseconds?: number;
  message?: Received;
  failure?: Words;
}

export interface Dependencies {
  choices: Choices;
  client(): Client | undefined;
  /** While an attempt to connect is being made: its client, or undefined when it fails. */
  arriving?(): Promise<Client | undefined> | undefined;
  clock: Clock;
}

/** Outcomes kept. */
const history = 50;
/** Beats are left out while this many publishes wait for their answers. */
const inFlightLimit = 100;
const timeout = 10_000;
const shortest = 0.1;
const longest = 86_400;
const mostTimes = 1_000_000_000;
const requestTimeout = 30_000;
/** Messages kept to be sent again, and bytes of those. */
const sentLimit = 50;
const sentBytes = 4_000_000;
/** Of a packet, if the broker announces no limit (2.1.4). */
const largestPacket = 268_435_455;

/** Failures of a message that never reached the broker. */
const unsent: ReadonlySet<Failure['code']> = new Set(['bad-option', 'not-connected', 'packet-too-large']);

export type Publisher = ReturnType<typeof createPublisher>;

export function createPublisher(deps: Dependencies, topic: string) {
  const draft = signal<Draft>({
    ...emptyMessage,
    topic,
    payload: 'messages: {{n}}',
    repeat: false,
    seconds: '1',
    times: '',
  });
  const outcomes = signal<Outcome[]>([]);
  const fieldErrors = createFieldErrors();
  /** What `{{n}}` stands for next. */
  const next = signal(0);
  const repeating = signal<Repeating | undefined>(undefined);
  /** The newest first. */
  const sent = signal<Sent[]>([]);
  const answer = signal<Answer | undefined>(undefined);

  let ids = 0;
  /** The file that is being read, and the content type that the last one gave. */
  let reading: File | undefined;
  let given = '';
  let asking = new AbortController();
  let inFlight = 0;
  let stopBeats = () => {};

  /** The properties but for a content type that is a file's. */
  function withoutGiven(): Draft['properties'] {
    const { properties } = draft.value;
    return given && properties.contentType === given ? { ...properties, contentType: '' } : properties;
  }

  function edit(edited: Partial<Draft>): void {
    const removed = 'file' in edited && !edited.file;
    const changes = removed ? { properties: withoutGiven(), ...edited } : edited;
    const { file, properties = {} } = changes;
    const typed = changes.properties?.correlationData;
    if ('file' in changes) reading = undefined;
    const another = typed !== undefined && typed !== draft.value.properties.correlationData;
    batch(() => {
      draft.value = { ...draft.value, ...(another && { correlation: undefined }), ...changes };
      fieldErrors.drop(
        (name) => name in changes || name in properties || (file !== undefined && name === 'payload'),
      );
    });
  }

  /** A file as the payload, if the broker takes one so large. */
  async function attach(file: File): Promise<void> {
    const limit = deps.client()?.connack.properties.maximumPacketSize || largestPacket;
    let problem: Words;
    reading = file;
    if (file.size < limit) {
      try {
        const bytes = new Uint8Array(await file.arrayBuffer());
        if (reading !== file) return;
        const properties = withoutGiven();
        given = properties.contentType ? '' : file.type;
        // What was typed is kept until the file is removed.
        const contentType = properties.contentType || given;
        edit({ file: { name: file.name, bytes }, properties: { ...properties, contentType } });
        return;
      } catch {
        problem = () => t('“{name}” could not be read', { name: visible(file.name) });
      }
    } else {
      problem = () =>
        t('“{name}” has {size}; this broker takes packets of at most {limit}', {
          name: visible(file.name),
          size: formatBytes(file.size),
          limit: formatBytes(limit),
        });
    }
    fieldErrors.add({ payload: problem });
  }

  function remember({ topic, payload, file, format, type, qos, retain, properties }: Draft): number {
    const message: Message = { topic, payload, file, format, type, qos, retain, properties };
    const same = JSON.stringify({ ...message, file: file?.name });
    const others = sent.value.filter(
      (other) =>
        other.message.file !== file ||
        JSON.stringify({ ...other.message, file: other.message.file?.name }) !== same,
    );
    let bytes = 0;
    const id = ids++;
    sent.value = [{ id, at: Date.now(), message }, ...others].slice(0, sentLimit).filter((one, index) => {
      bytes += one.message.payload.length + (one.message.file?.bytes.length ?? 0);
      return index === 0 || bytes <= sentBytes;
    });
    return id;
  }

  /** Removes a message that was never sent from the list of sent ones. */
  function forget(id: number | undefined): void {
    sent.value = sent.value.filter((one) => one.id !== id);
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

  function markField(failure: Failure): void {
    const field = formField(failure.field);
    if (!(field in draft.value || field in draft.value.properties)) return;
    fieldErrors.add({ [field]: () => atField(failure) });
  }

  function fail(id: number, failure: Failure): void {
    batch(() => {
      settle(id, { tone: 'bad', text: () => t('Failed: {why}', { why: inOneLine(failure) }) });
      markField(failure);
      // An invalid message is invalid at every beat.
      if (failure.code === 'bad-option' || failure.code === 'packet-too-large') stop();
    });
  }

  function takeNumber({ topic, payload, file }: Draft): number {
    const n = next.value;
    if (hasCounter(topic) || (!file && hasCounter(payload))) next.value = n + 1;
    return n;
  }

  /** Nothing was sent with this number, so the next message gets it. */
  function giveBack(failure: Failure, n: number): void {
    if (unsent.has(failure.code) && next.value === n + 1) next.value = n;
  }

  /** Undefined if there is nothing to wait for: a client is there, or none will be. */
  const awaited = () => (deps.client() ? undefined : deps.arriving?.());

  function failUnconnected(topic: string): void {
    add({ topic, tone: 'bad', text: () => t('Failed: not connected to a broker') });
  }

  /** Calls `go` with a client there; while an attempt to connect is being made, once it has succeeded. */
  function whenThere(topic: string, go: () => void): void {
    const arriving = awaited();
    const waiting = arriving && add({ topic, tone: 'waiting', text: () => t('Sending…') });
    const settle = (client: Client | undefined): void => {
      outcomes.value = outcomes.value.filter(({ id }) => id !== waiting);
      if (client) go();
      else failUnconnected(topic);
    };
    // Awaited only if necessary, to keep the order of sending.
    if (arriving) void arriving.then(settle);
    else settle(deps.client());
  }

  /** Resolves with whether it succeeded. `remembered` is its number among the sent messages. */
  async function send(what: Draft, remembered?: number): Promise<boolean> {
    const client = deps.client();
    if (!client) {
      forget(remembered);
      failUnconnected(what.topic);
      return false;
    }
    const n = takeNumber(what);
    const topic = expand(what.topic, n);
    const id = add({ topic, tone: 'waiting', text: () => t('Sending…') });
    const begin = deps.clock.now();
    inFlight++;
    try {
      const { qos, retain, correlation: correlationData } = what;
      const properties = { ...propertiesOf(what.properties), ...(correlationData && { correlationData }) };
      const payload = payloadOf(what, n, deps.choices.files.entries.peek());
      // As above.
      const bytes = payload instanceof Promise ? await payload : payload;
      const result = await client.publish(topic, bytes, { qos, retain, timeout, properties });
      settle(id, wordsFor(result, qos, deps.clock.now() - begin));
      return true;
    } catch (error) {
      const failure = toFailure(error);
      giveBack(failure, n);
      if (unsent.has(failure.code)) forget(remembered);
      fail(id, failure);
      return false;
    } finally {
      inFlight--;
    }
  }

  function tally(sent: number, failed: number): void {
    const now = repeating.value;
    if (!now) return;
    repeating.value = {
      ...now,
      sent: now.sent + sent,
      ...((now.failed || failed) && { failed: (now.failed ?? 0) + failed }),
    };
  }

  function start(what: Draft, seconds: number, times: number | undefined, remembered: number): void {
    batch(() => {
      next.value = 0;
      repeating.value = { topic: what.topic, seconds, sent: 0, ...(times && { times }) };
    });
    let stopped = false;
    let count = 0;
    const halt = every(deps.clock, seconds * 1000, () => {
      if (stopped || inFlight >= inFlightLimit) return;
      count++;
      tally(1, 0);
      void send(what, count === 1 ? remembered : undefined).then((went) => {
        if (!went && !stopped) tally(-1, 1);
      });
      if (count === times) stop();
    });
    stopBeats = () => {
      stopped = true;
      halt();
    };
    // A single beat was the first, before there was anything to stop.
    if (!repeating.value) stop();
  }

  /** Once, or until `stop` when the draft says so. */
  function publish(): void {
    const what = draft.value;
    fieldErrors.set({});
    if (!what.repeat) {
      whenThere(what.topic, () => void send(what, remember(what)));
      return;
    }
    const seconds = Number(what.seconds);
    if (what.seconds.trim() === '' || !(seconds >= shortest && seconds <= longest)) {
      fieldErrors.set({
        seconds: () => t('Between {shortest} and {longest} seconds', { shortest, longest }),
      });
      return;
    }
    const times = numberOf(what.times);
    if (times !== undefined && !(Number.isInteger(times) && times >= 1 && times <= mostTimes)) {
      fieldErrors.set({ times: () => t('A whole number from 1, or nothing') });
      return;
    }
    whenThere(what.topic, () => {
      stop();
      start(what, seconds, times, remember(what));
    });
  }

  /** Publishes once, and waits for the answer (4.10). */
  async function request(): Promise<void> {
    const what = draft.value;
    asking.abort();
    const mine = new AbortController();
    asking = mine;
    fieldErrors.set({});
    const arriving = awaited();
    if (arriving) answer.value = { topic: what.topic };
    const client = arriving ? await arriving : deps.client();
    if (mine.signal.aborted) return;
    const n = next.value;
    const topic = expand(what.topic, n);
    if (!client) {
      failUnconnected(topic);
      answer.value = { topic, failure: () => t('Not connected to a broker') };
      return;
    }
    const remembered = remember(what);
    takeNumber(what);
    answer.value = { topic };
    const id = add({ topic, tone: 'waiting', text: () => t('Waiting for the answer…') });
    const begin = deps.clock.now();
    try {
      // The client sets the response topic and the correlation data itself.
      const { responseTopic: _, correlationData: __, ...properties } = propertiesOf(what.properties);
      const payload = payloadOf(what, n, deps.choices.files.entries.peek());
      const message = await client.request(topic, payload instanceof Promise ? await payload : payload, {
        qos: what.qos,
        properties,
        timeout: requestTimeout,
        signal: mine.signal,
      });
      const milliseconds = Math.max(1, Math.round(deps.clock.now() - begin));
      settle(id, { tone: 'good', text: () => t('Answered after {milliseconds} ms', { milliseconds }) });
      if (!mine.signal.aborted) answer.value = { topic, message, milliseconds };
    } catch (error) {
      const failure = toFailure(error);
      giveBack(failure, n);
      if (unsent.has(failure.code)) forget(remembered);
      fail(id, failure);
      if (!mine.signal.aborted) answer.value = { topic, failure: () => inOneLine(failure) };
    }
  }

  /** Stops waiting, or dismisses the answer. */
  function dismissAnswer(): void {
    asking.abort();
    answer.value = undefined;
  }

  function stop(): void {
    stopBeats();
    stopBeats = () => {};
    repeating.value = undefined;
  }

  return {
    choices: deps.choices,
    draft,
    outcomes,
    fieldErrors,
    next,
    repeating,
    sent,
    answer,
    edit,
    attach,
    publish,
    stop,
    request,
    dismissAnswer,
  };
}
