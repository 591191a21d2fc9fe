/** The lines of the chart: numbers of topics over time. */

import type { Message } from '../../client';
import { t } from '../core/i18n/i18n';
import { type Model, type TopicNode, topicOf } from './model';
import { numberAt, parsePath } from './number';

export const maxSeries = 8;
export const maxPoints = 5000;
/** What is read of one topic in a second; what comes faster is left out and counted. */
const perSecond = { messages: 1000, bytes: 1024 * 1024 };

export interface Series {
  readonly id: number;
  readonly topic: string;
  readonly path: string;
  /** Which of the colours. */
  readonly colour: number;
  /** Milliseconds since 1970, never falling. */
  readonly times: number[];
  readonly values: number[];
  /** Messages without a number there, and messages that came too fast to look. */
  missing: number;
  skipped: number;
  stop(): void;
}

/** Shared times, and each series' values at them; null where it has none. */
export interface Table {
  times: number[];
  columns: (number | null)[][];
}

/** In seconds, the chart's unit. */
export function tableOf(all: readonly Pick<Series, 'times' | 'values'>[]): Table {
  const every = Float64Array.from(all.flatMap(({ times }) => times)).sort();
  const times: number[] = [];
  for (const time of every) if (time !== times.at(-1)) times.push(time);
  const columns = all.map((series) => {
    let next = 0;
    return times.map((time) => {
      let value: number | null = null;
      // Of several at one time the last counts.
      for (; series.times[next] === time; next++) value = series.values[next] ?? null;
      return value;
    });
  });
  return { times: times.map((time) => time / 1000), columns };
}

export function createSeriesList(model: Model, now: () => number) {
  let list: Series[] = [];
  let ids = 0;

  function begin(node: TopicNode, path: string, steps: string[], colour: number): Series {
    const series: Series = {
      id: ids++,
      topic: topicOf(node),
      path,
      colour,
      times: [],
      values: [],
      missing: 0,
      skipped: 0,
      stop: () => {},
    };
    let second = 0;
    let messages = 0;
    let bytes = 0;
    series.stop = model.watch(node, (message: Message) => {
      const current = Math.floor(now() / 1000);
      if (current !== second) {
        second = current;
        messages = 0;
        bytes = 0;
      }
      if (messages >= perSecond.messages || bytes >= perSecond.bytes) {
        series.skipped++;
        return;
      }
      messages++;
      bytes += message.payload.length;
      add(series, message.payload, message.receivedAt, steps);
    });
    return series;
  }

  function add(series: Series, payload: Uint8Array, at: number, steps: string[]): void {
    const value = numberAt(payload, steps);
    if (value === undefined) {
      series.missing++;
      return;
    }
    // A clock that was set back draws no line back.
    series.times.push(Math.max(at, series.times.at(-1) ?? at));
    series.values.push(value);
    if (series.times.length < maxPoints * 1.1) return;
    series.times.splice(0, series.times.length - maxPoints);
    series.values.splice(0, series.values.length - maxPoints);
  }

  /** Why it can't be, or undefined when it is there; `past` is what it begins with. */
  function start(node: TopicNode, path: string, past: readonly { at: number; payload: Uint8Array }[]) {
    const steps = parsePath(path);
    if (!steps) return t('Not a path: write pump.litres, readings[0] or ["a b"]');
    const topic = topicOf(node);
    if (list.some((series) => series.topic === topic && series.path === path))
      return t('Already on the chart');
    if (list.length >= maxSeries)
      return t('The chart takes {count} lines: remove one first', { count: maxSeries });
    if (!past.some(({ payload }) => numberAt(payload, steps) !== undefined)) {
      return t(path === '' ? 'The value is not a number: give a path into its JSON' : 'No number there');
    }
    const free = Array.from({ length: maxSeries }, (_, colour) => colour);
    const colour = free.find((one) => list.every((series) => series.colour !== one)) ?? 0;
    const series = begin(node, path, steps, colour);
    for (const { at, payload } of past) add(series, payload, at, steps);
    list = [...list, series];
    return undefined;
  }

  function remove(id: number): void {
    list.find((series) => series.id === id)?.stop();
    list = list.filter((series) => series.id !== id);
  }

  function clear(): void {
    for (const series of list) series.stop();
    list = [];
  }

  return {
    start,
    remove,
    clear,
    get list(): readonly Series[] {
      return list;
    },
  };
}
