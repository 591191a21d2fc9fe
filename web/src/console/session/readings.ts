/** What scripts returned for the latest message of a topic, for the tree, which keeps no messages. */

import type { Message } from '../../client';
import { limits } from '../core/limits';
import type { Reading } from '../payload/guess';

type Read = Pick<Message, 'topic' | 'receivedAt'>;

/** Bytes that a browser needs for one besides its texts. */
const overhead = 300;

export type Readings = ReturnType<typeof readingsOf>;

/** For `part`. */
export function readingsOf() {
  /** The topic that was read longest ago comes first. */
  const kept = new Map<string, { receivedAt: number; reading: Reading }>();
  let bytes = 0;

  const costOf = (topic: string, { json }: Reading): number => overhead + 2 * (topic.length + json.length);

  function drop(topic: string): void {
    const one = kept.get(topic);
    if (!one) return;
    bytes -= costOf(topic, one.reading);
    kept.delete(topic);
  }

  function note({ topic, receivedAt }: Read, reading: Reading): void {
    drop(topic);
    kept.set(topic, { receivedAt, reading });
    bytes += costOf(topic, reading);
    for (const oldest of kept.keys()) {
      if (bytes <= limits.readings) break;
      drop(oldest);
    }
  }

  /** The reading of exactly that message. */
  function of({ topic, receivedAt }: Read): Reading | undefined {
    const one = kept.get(topic);
    return one?.receivedAt === receivedAt ? one.reading : undefined;
  }

  return {
    note,
    of,
    /** The bytes that count against the bound. */
    get bytes() {
      return bytes;
    },
  };
}
