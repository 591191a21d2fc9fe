/** The lines of the chart: numbers of topics over time. */

import type { Message } from '../../client';
import { t, type Words } from '../core/i18n/i18n';
import { limits } from '../core/limits';
import type { Recall } from '../payload/choices';
import type { Readable } from '../payload/guess';
import { parsePath } from '../payload/path';
import { type Model, type TopicNode, topicOf } from './model';
import { numberIn } from './number';

const { lines: maxSeries, points: maxPoints, perSecond } = limits.chart;

/** What a line takes its numbers from. */
export type Reading = Readable & Pick<Message, 'receivedAt'>;

export interface Series {
  readonly id: number;
  readonly topic: string;
  readonly path: string;
  /** The last step of its path that is not an index, or else the topic: lines of the same name share one scale. */
  readonly name: string;
  /** Which of the colours. */
  readonly colour: number;
  /** Milliseconds since 1970, never falling. */
  readonly times: number[];
  readonly values: number[];
  /** Messages without a number there, and messages that arrived too fast to be read. */
  missing: number;
  skipped: number;
}

/**
 * The power of ten by which very large or small values are divided, since the chart's
 * scales and labels only have room for ordinary numbers. 0 for those.
 */
function exponentOf(all: readonly Pick<Series, 'values'>[]): number {
  let most = 0;
  for (const { values } of all) for (const value of values) most = Math.max(most, Math.abs(value));
  const exponent = Math.floor(Math.log10(most));
  return most === 0 || (exponent >= -15 && exponent < 15) ? 0 : Math.max(exponent, -320);
}

/**
 * Shared times, in seconds, the chart's unit; each series' values at them, divided, null where a series has none; and
 * the exponent of the divisor.
 */
export function tableOf(all: readonly Pick<Series, 'times' | 'values'>[]) {
  const exponent = exponentOf(all);
  const unit = Number(`1e${exponent}`);
  const every = Float64Array.from(all.flatMap(({ times }) => times)).sort();
  const times: number[] = [];
  for (const time of every) if (time !== times.at(-1)) times.push(time);
  const columns = all.map((series) => {
    let next = 0;
    return times.map((time) => {
      let value: number | null = null;
      // Of several at the same time the last counts.
      for (; series.times[next] === time; next++) value = series.values[next] ?? null;
      return value && value / unit;
    });
  });
  return { times: times.map((time) => time / 1000), columns, exponent };
}

export interface Dependencies {
  now(): number;
  /** What is kept of a topic, the newest first; undefined now and then, so that the caller can pause. */
  past(node: TopicNode): Iterator<Reading | undefined>;
  /** The payload of the Sparkplug B BIRTH that a message refers to. */
  birthBefore(message: Reading): Uint8Array | undefined;
  recall: Recall;
}

interface Kept {
  series: Series;
  steps: string[];
  /** What is left of the past. */
  past: Iterator<Reading | undefined> | undefined;
  stop(): void;
}

export function createSeriesList(model: Model, { now, past, birthBefore, recall }: Dependencies) {
  let list: Kept[] = [];
  let ids = 0;
  /** The current second, and milliseconds of it that all lines took. */
  let second = 0;
  let spent = 0;

  const read = (message: Reading, steps: string[]) =>
    numberIn(message, recall(message.topic), steps, birthBefore(message));

  function watch(node: TopicNode, series: Series, steps: string[]): () => void {
    let current = 0;
    let messages = 0;
    let bytes = 0;
    let ended = false;
    function take(message: Reading): void {
      if (ended) return;
      const begun = now();
      if (Math.floor(begun / 1000) !== second) {
        second = Math.floor(begun / 1000);
        spent = 0;
      }
      if (second !== current) {
        current = second;
        messages = 0;
        bytes = 0;
      }
      if (messages >= perSecond.messages || bytes >= perSecond.bytes || spent >= perSecond.milliseconds) {
        series.skipped++;
        return;
      }
      messages++;
      bytes += message.payload.length;
      const value = read(message, steps);
      spent += now() - begun;
      if (value === undefined) {
        series.missing++;
        return;
      }
      // Never goes back, even if the clock was set back.
      series.times.push(Math.max(message.receivedAt, series.times.at(-1) ?? message.receivedAt));
      series.values.push(value);
      if (series.times.length < maxPoints * 1.1) return;
      series.times.splice(0, series.times.length - maxPoints);
      series.values.splice(0, series.values.length - maxPoints);
    }
    const stop = model.watch(node, (message: Message & Pick<Readable, 'pending'>) => {
      if (message.pending) void message.pending.then(() => take(message));
      else take(message);
    });
    return () => {
      ended = true;
      stop();
    };
  }

  /** Reads on in the past of a line. Returns whether it is complete. */
  function readBack(kept: Kept, until: number): boolean {
    const { series, steps } = kept;
    const times: number[] = [];
    const values: number[] = [];
    while (kept.past && now() <= until) {
      const { value: message, done } = kept.past.next();
      if (done || series.times.length + times.length >= maxPoints) kept.past = undefined;
      else if (message) {
        const value = read(message, steps);
        if (value === undefined) series.missing++;
        else {
          times.push(Math.min(message.receivedAt, times.at(-1) ?? series.times[0] ?? message.receivedAt));
          values.push(value);
        }
      }
    }
    series.times.unshift(...times.reverse());
    series.values.unshift(...values.reverse());
    return !kept.past;
  }
  const readOn = (until: number): boolean => list.every((kept) => readBack(kept, until));

  /** Adds a line, and reads its past until `until`. Returns why it can't be added, or undefined. */
  function start(node: TopicNode, path: string, until: number): Words | undefined {
    const steps = parsePath(path);
    if (!steps) return () => t('Not a path: write pump.litres, readings[0] or ["a b"]');
    const topic = topicOf(node);
    if (list.some(({ series }) => series.topic === topic && series.path === path))
      return () => t('Already on the chart');
    if (list.length >= maxSeries)
      return () => t('The chart takes {count} lines: remove one first', { count: maxSeries });
    const free = Array.from({ length: maxSeries }, (_, colour) => colour);
    const colour = free.find((one) => list.every(({ series }) => series.colour !== one)) ?? 0;
    const name = steps.findLast((step) => !/^\d+$/.test(step)) ?? (node.name || topic);
    const counts = { missing: 0, skipped: 0 };
    const series: Series = { id: ids++, topic, path, name, colour, times: [], values: [], ...counts };
    const kept: Kept = { series, steps, past: past(node), stop: () => {} };
    if (readBack(kept, until) && series.values.length === 0) {
      return () => t(path === '' ? 'The value is not a number: give a path into it' : 'No number there');
    }
    kept.stop = watch(node, series, steps);
    list = [...list, kept];
    return undefined;
  }

  function remove(id: number): void {
    list.find(({ series }) => series.id === id)?.stop();
    list = list.filter(({ series }) => series.id !== id);
  }

  function clear(): void {
    for (const { stop } of list) stop();
    list = [];
  }

  return {
    start,
    readOn,
    remove,
    clear,
    list: (): readonly Series[] => list.map(({ series }) => series),
  };
}
