/** The values under $SYS, and the known ones over time. */

import { limits } from '../../core/limits';
import type { Point } from '../../core/point';
import { brief } from '../../core/text';
import { type Measure, measures, numberOf, placeOf, secondsOf } from './measures';

/** Points of one line. */
const maxPoints = 360;

export interface Gauge {
  measure: Measure;
  /** As text, if it is not a number. */
  text: string | undefined;
  /** The value, or the rate per second; undefined until it is known. */
  value: number | undefined;
  points: readonly Point[];
}

interface Sample {
  /** Seconds, by the broker's clock if it publishes its uptime. */
  at: number;
  counters: Map<string, number>;
}

export function createGauges() {
  /** By topic. */
  const values = new Map<string, string>();
  const points = new Map<string, Point[]>();
  const rates = new Map<string, number>();
  /** Characters of topics and values, which may take two bytes each. */
  let characters = 0;
  let beyond = 0;
  let before: Sample | undefined;

  function put(topic: string, payload: Uint8Array): void {
    // Brokers may publish topics for each client, so their number has no limit.
    const before = values.get(topic);
    const text = new TextDecoder().decode(payload.subarray(0, limits.sys.value));
    const more = text.length - (before?.length ?? -topic.length);
    const full = before === undefined && values.size >= limits.sys.topics;
    if (full || 2 * (characters + more) > limits.sys.bytes) {
      beyond++;
      return;
    }
    characters += more;
    values.set(topic, text);
  }

  /** Its values by node, at the first of its paths that exists. */
  function valuesOf({ paths }: Measure): [node: string, text: string][] {
    const found = new Map<string, [node: string, text: string][]>();
    for (const [topic, text] of values) {
      const place = placeOf(topic);
      if (!place || !paths.includes(place.path)) continue;
      const nodes = found.get(place.path) ?? [];
      nodes.push([place.node, text]);
      found.set(place.path, nodes);
    }
    const path = paths.find((candidate) => found.has(candidate));
    return path === undefined ? [] : (found.get(path) ?? []);
  }

  /** Of all nodes together. */
  function sumOf(measure: Measure): number | undefined {
    const numbers = valuesOf(measure).map(([node, text]) =>
      measure.kind === 'duration' ? secondsOf(text, node) : numberOf(text),
    );
    const known = numbers.filter((value) => value !== undefined);
    if (known.length === 0) return undefined;
    if (measure.kind === 'duration') return Math.max(...known);
    return known.reduce((sum, value) => sum + value, 0);
  }

  function enter(label: string, at: number, value: number | undefined): void {
    if (value === undefined) return;
    points.set(label, [...(points.get(label) ?? []), [at, value] as const].slice(-maxPoints));
  }

  /** Takes a sample after a round of messages, at this time in milliseconds. */
  function sample(now: number): void {
    const uptime = measures.find(({ kind }) => kind === 'duration');
    const at = (uptime && sumOf(uptime)) ?? now / 1000;
    const counters = new Map<string, number>();
    const elapsed = before ? at - before.at : 0;
    for (const measure of measures) {
      const { label, kind } = measure;
      const value = kind === 'text' || kind === 'duration' ? undefined : sumOf(measure);
      if (value === undefined) continue;
      if (kind !== 'rate' && kind !== 'byte rate') {
        enter(label, now, value);
        continue;
      }
      counters.set(label, value);
      const last = before?.counters.get(label);
      // A counter that runs backwards is from another broker, or from one that restarted.
      if (last === undefined || elapsed <= 0 || value < last) continue;
      rates.set(label, (value - last) / elapsed);
      enter(label, now, (value - last) / elapsed);
    }
    if (!before || elapsed !== 0) before = { at, counters };
  }

  function gauges(): Gauge[] {
    return measures.flatMap((measure): Gauge[] => {
      const [first] = valuesOf(measure);
      if (!first) return [];
      const { kind, label } = measure;
      const isRate = kind === 'rate' || kind === 'byte rate';
      const value = kind === 'text' ? undefined : isRate ? rates.get(label) : sumOf(measure);
      return [
        { measure, text: kind === 'text' ? first[1] : undefined, value, points: points.get(label) ?? [] },
      ];
    });
  }

  /**
   * The rows whose topic or value contains the text, in any case, as they are drawn; in the order
   * of the topics.
   */
  function rows(text: string): { found: number; shown: [topic: string, topicText: string, value: string][] } {
    const wanted = text.toLowerCase();
    const all = [...values]
      .filter(([topic, value]) => `${topic} ${value}`.toLowerCase().includes(wanted))
      .sort(([a], [b]) => (a < b ? -1 : 1));
    const shown = all
      .slice(0, limits.sys.rows)
      .map(([topic, value]): [string, string, string] => [
        topic,
        brief(topic, limits.sys.text),
        brief(value, limits.sys.text),
      ]);
    return { found: all.length, shown };
  }

  return {
    put,
    sample,
    gauges,
    rows,
    get size() {
      return values.size;
    },
    /** Messages on topics that there was no room for. */
    get beyond() {
      return beyond;
    },
  };
}
