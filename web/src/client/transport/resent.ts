/**
 * QoS 2 across a crash. A message may have reached the page but not been acknowledged when the
 * program crashed: the broker sends it again, as a duplicate, to the next program, which can't know
 * it. The page does, and drops it.
 *
 * A batch has no packet identifiers, so messages are recognized by topic and payload, and counted.
 * Only what may have been unacknowledged counts: the last batches before the crash. One case still
 * goes wrong: two messages with the same topic and payload within that time, of which the page had
 * received the first, it was acknowledged, and the second had not reached the page at the crash.
 * The second is then dropped as a duplicate of the first.
 */

import { batchRecords, createReader, joined } from '../property-reader';

/** Batches: older ones were acknowledged before these came. */
const lastBatches = 2;
/**
 * Milliseconds: acknowledgements may have waited for pages that had not joined yet (`gatherTime` of
 * `worker/sharing/delivery.ts`) or frozen, and for a store or a slow broker.
 */
const recently = 13_000;
/** Milliseconds after connecting in which the broker resends what it has in flight. */
const resendTime = 10_000;

/** As Go hands it over (`onBatch` of `protocol/boundary.ts`). */
interface Batch {
  buffer: ArrayBuffer;
  count: number;
  payloads?: Uint8Array<ArrayBuffer>[] | undefined;
}

interface Given {
  time: number;
  digests: number[];
}

export function createResent(now = () => performance.now()) {
  let given: Given[] = [];
  /** How often each message had arrived. */
  const doubtful = new Map<number, number>();
  let until = 0;

  /** Removes from a batch what the page has already. Returns the batch itself if that is nothing. */
  function receive(batch: Batch): Batch {
    const time = now();
    if (time > until) doubtful.clear();
    const digests: number[] = [];
    const twice: Once[] = [];
    for (const message of exactlyOnce(batch)) {
      const { duplicate, digest } = message;
      const left = doubtful.get(digest) ?? 0;
      if (duplicate && left > 0) {
        doubtful.set(digest, left - 1);
        twice.push(message);
      }
      digests.push(digest);
    }
    const old = given.findIndex(
      (each, index) => index >= given.length - lastBatches || time - each.time < recently,
    );
    given.splice(0, old);
    if (digests.length > 0 || given.length > 0) given.push({ time, digests });
    return twice.length === 0 ? batch : without(batch, twice);
  }

  /** From now on messages come from another program. */
  function crashed(): void {
    for (const { digests } of given) {
      for (const digest of digests) doubtful.set(digest, (doubtful.get(digest) ?? 0) + 1);
    }
    given = [];
    until = Number.POSITIVE_INFINITY;
  }

  /** The other program is connected. */
  function connected(): void {
    if (until === Number.POSITIVE_INFINITY) until = now() + resendTime;
  }

  return { receive, crashed, connected };
}

/** A message of QoS 2. */
interface Once {
  start: number;
  end: number;
  duplicate: boolean;
  digest: number;
  /** Its payload, if that is not in the buffer. */
  beside: Uint8Array | undefined;
}

function* exactlyOnce({ buffer, payloads = [] }: Batch): Generator<Once> {
  const bytes = new Uint8Array(buffer);
  let besides = 0;
  for (const { start, end, flags, topicStart, topicEnd } of batchRecords(buffer)) {
    const beside = (flags & 0x10) === 0 ? undefined : payloads[besides++];
    if ((flags & 0b110) !== 0b100) continue;
    const reader = createReader(bytes, topicEnd, end, 'batch');
    reader.skip(reader.varint());
    const payload = beside ?? reader.rest();
    // Without the properties, which may differ: an expiry counts down, an alias may change.
    const digest = digestOf(bytes.subarray(topicStart, topicEnd), payload);
    yield { start, end, duplicate: (flags & 8) !== 0, digest, beside };
  }
}

/** 53 bits: two multiplicative hashes with unlike factors, the first one FNV-1a. */
function digestOf(...parts: Uint8Array[]): number {
  let low = 0x811c9dc5;
  let high = 0;
  for (const part of parts) {
    for (const byte of part) {
      low = Math.imul(low ^ byte, 0x01000193);
      high = Math.imul(high, 31) + byte;
    }
  }
  return ((high >>> 0) % 2 ** 21) * 2 ** 32 + (low >>> 0);
}

function without({ buffer, count, payloads }: Batch, twice: Once[]): Batch {
  const bytes = new Uint8Array(buffer);
  const kept: Uint8Array[] = [];
  let size = bytes.length;
  let at = 0;
  for (const { start, end } of twice) {
    kept.push(bytes.subarray(at, start));
    size -= end - start;
    at = end;
  }
  kept.push(bytes.subarray(at));
  const removed = new Set(twice.map(({ beside }) => beside));
  return {
    buffer: joined(kept, size),
    count: count - twice.length,
    payloads: payloads?.filter((payload) => !removed.has(payload)),
  };
}
