/** Splits a batch (`client/message.ts` has its format) between the receivers of its topics. */

import { batchRecords, createReader, joined, mqttText, readIdentifiers } from '../../client/property-reader';

/** What is read of a message to find its receivers. */
export interface Described {
  topic: string;
  /** It has QoS 1 or 2. */
  owed: boolean;
  /** It has the flag RETAIN. */
  retained: boolean;
  /** The subscription identifiers that the broker sent with it. */
  identifiers(): number[];
}

export interface Part {
  buffer: ArrayBuffer;
  count: number;
  /** Whether there is a message of QoS 1 or 2 in it, which is owed an acknowledgement. */
  owed: boolean;
}

export const nothing = (): Part => ({ buffer: new ArrayBuffer(0), count: 0, owed: false });

interface Share {
  count: number;
  size: number;
  owed: boolean;
  /** Its records, adjacent ones as one range. */
  ranges: [start: number, end: number][];
}

const qosBits = 0b110;
const retainBit = 0b001;

/**
 * Each receiver gets the records for which `wantedBy` names it, in order; one that gets all gets
 * the buffer itself.
 */
export function split<Receiver>(
  buffer: ArrayBuffer,
  wantedBy: (message: Described) => readonly Receiver[],
): Map<Receiver, Part> {
  const bytes = new Uint8Array(buffer);
  const shares = new Map<Receiver, Share>();
  for (const { start, end, flags, topicStart, topicEnd } of batchRecords(buffer)) {
    const owed = (flags & qosBits) !== 0;
    const retained = (flags & retainBit) !== 0;
    const topic = mqttText.decode(bytes.subarray(topicStart, topicEnd));
    const identifiers = (): number[] => {
      const reader = createReader(bytes, topicEnd, end, 'batch');
      const size = reader.varint();
      return readIdentifiers(bytes, reader.at(), reader.at() + size);
    };
    for (const receiver of wantedBy({ topic, owed, retained, identifiers })) {
      let share = shares.get(receiver);
      if (!share) {
        share = { count: 0, size: 0, owed: false, ranges: [] };
        shares.set(receiver, share);
      }
      share.count++;
      share.size += end - start;
      share.owed ||= owed;
      const last = share.ranges.at(-1);
      if (last?.[1] === start) last[1] = end;
      else share.ranges.push([start, end]);
    }
  }

  const parts = new Map<Receiver, Part>();
  let taken = false;
  for (const [receiver, { count, size, owed, ranges }] of shares) {
    const whole: boolean = size === bytes.length && !taken;
    taken ||= whole;
    const copy = (): ArrayBuffer =>
      joined(
        ranges.map(([start, end]) => bytes.subarray(start, end)),
        size,
      );
    parts.set(receiver, { buffer: whole ? buffer : copy(), count, owed });
  }
  return parts;
}
