/** The figures of a fleet: round trips, and the outcomes of messages. */

import type { QoS } from '../../client';
import type { Failure } from '../core/failure';

/** Each bucket ends 2 % above where it begins, so a percentile is right to 1 %. */
const growth = Math.log(1.02);
/** Milliseconds. Shorter times go into the first bucket, those longer than 100 s into the last one. */
const shortest = 0.01;
const buckets = Math.ceil(Math.log(100_000 / shortest) / growth);

export function createHistogram() {
  const counts = new Uint32Array(buckets + 1);
  let total = 0;

  function add(milliseconds: number): void {
    const at = Math.ceil(Math.log(Math.max(milliseconds, shortest) / shortest) / growth);
    const bucket = Math.min(at, buckets);
    counts[bucket] = (counts[bucket] ?? 0) + 1;
    total++;
  }

  /** The percentile in milliseconds, for a `share` from 0 to 1; undefined if there are none. */
  function percentile(share: number): number | undefined {
    if (total === 0) return undefined;
    let left = Math.max(1, Math.ceil(total * share));
    const at = counts.findIndex((count) => {
      left -= count;
      return left <= 0;
    });
    return shortest * Math.exp((at - 0.5) * growth);
  }

  function clear(): void {
    counts.fill(0);
    total = 0;
  }

  return { add, percentile, clear };
}

/** Numbers of a device's messages that are remembered one by one; further ones are only counted. */
const mostRemembered = 1000;

export type Track = ReturnType<typeof createTrack>;

/**
 * Of the messages of one device and one QoS, by their sequence numbers from 1, which ones have
 * arrived. A broker keeps their order (MQTT 5, 4.6), so a message is missing when a later one has
 * arrived; if it still arrives, it was late.
 */
export function createTrack() {
  let sent = 0;
  let highest = 0;
  const missing = new Set<number>();
  /** Not acknowledged: they are not expected, though they may arrive. */
  const failed = new Set<number>();
  const counts = { received: 0, duplicates: 0, late: 0, lost: 0 };
  const next = (): number => ++sent;

  function miss(from: number, to: number): void {
    for (let n = from; n <= to; n++) {
      if (failed.has(n)) continue;
      counts.lost++;
      if (missing.size < mostRemembered) missing.add(n);
    }
  }

  /** Returns whether the message arrived for the first time. One that was never sent is ignored. */
  function arrive(n: number): boolean {
    if (!Number.isInteger(n) || n < 1 || n > sent) return false;
    if (n > highest) {
      miss(highest + 1, n - 1);
      highest = n;
    } else if (missing.delete(n)) {
      counts.lost--;
      counts.late++;
    } else if (failed.has(n)) counts.late++;
    else {
      counts.duplicates++;
      return false;
    }
    failed.delete(n);
    counts.received++;
    return true;
  }

  /** It was not acknowledged. */
  function fail(n: number): void {
    if (n <= highest) {
      if (missing.delete(n)) counts.lost--;
      else return; // it arrived
    }
    if (failed.size < mostRemembered) failed.add(n);
  }

  /** Counts what has not arrived as lost. */
  function close(): void {
    miss(highest + 1, sent);
    highest = sent;
  }

  /** How many may still arrive. */
  const outstanding = (): number => sent - counts.received - failed.size - counts.lost;

  return { next, arrive, fail, close, outstanding, counts };
}
export interface QoSFigures {
  qos: QoS;
  sent: number;
  /** Of QoS 0: handed to the network. */
  acknowledged: number;
  /** Sent, and not acknowledged because the connection ended or the broker refused. */
  failed: number;
  received: number;
  /** May still arrive, or might have if the fleet had waited longer. */
  onTheWay: number;
  lost: number;
  duplicates: number;
  late: number;
}

/** `connect`: refused. `lost`: the connection ended, and not by a drop-out. */
export type ProblemKind = 'connect' | 'lost' | 'publish' | 'subscriber';

export interface Problem {
  kind: ProblemKind;
  failure: Failure;
  count: number;
}

const mostProblems = 30;

/** A failure as data that crosses between threads. */
export function plainFailure(error: unknown): Failure {
  const from = (error ?? {}) as Partial<Failure>;
  return {
    code: from.code ?? 'crashed',
    message: String(from.message ?? error).slice(0, 600),
    ...(from.reasonCode !== undefined && { reasonCode: from.reasonCode }),
    ...(from.reasonString !== undefined && { reasonString: from.reasonString.slice(0, 600) }),
    ...(from.closeCode !== undefined && { closeCode: from.closeCode }),
  };
}

/** Problems by reason. The text is that of the first of its kind. */
export function createProblems() {
  const problems = new Map<string, Problem>();

  function note(kind: ProblemKind, error: unknown): void {
    const failure = plainFailure(error);
    const key = [kind, failure.code, failure.reasonCode, failure.closeCode].join();
    const known = problems.get(key);
    if (known) known.count++;
    else if (problems.size < mostProblems) problems.set(key, { kind, failure, count: 1 });
  }

  return { note, list: (): Problem[] => [...problems.values()].map((problem) => ({ ...problem })) };
}

export type Phase = 'starting' | 'running' | 'stopping' | 'ended';

/** All figures of a fleet, sent several times a second. Times in milliseconds. */
export interface Figures {
  phase: Phase;
  /** Since 1970. */
  at: number;
  elapsed: number;
  connected: number;
  connecting: number;
  /** Away after a drop-out, or until the next attempt. */
  away: number;
  /** Refused for a permanent reason. */
  refused: number;
  /** In a second, lately. */
  sentRate: number;
  receivedRate: number;
  /** From the call that publishes to the subscriber's handler; undefined if nothing was measured. */
  p50: number | undefined;
  p99: number | undefined;
  /** Of the last second. */
  recent: { p50: number | undefined; p99: number | undefined };
  /** From the call that publishes to the acknowledgement of QoS 1 and 2. */
  ackP50: number | undefined;
  ackP99: number | undefined;
  byQoS: QoSFigures[];
  /** Messages left out because a device had too many that were not acknowledged, or the browser was too slow. */
  skipped: number;
  dropOuts: number;
  wills: number;
  storms: number;
  /** How many devices the last storm cut off, and how long it took until all were back. */
  lastStorm: { devices: number; took: number | undefined } | undefined;
  /** How often the subscriber lost its connection: what it missed meanwhile counts as lost. */
  gaps: number;
  problems: Problem[];
}
