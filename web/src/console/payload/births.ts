/**
 * The BIRTHs of a connection's Sparkplug B nodes and devices. They name the metrics that later
 * messages may give only by alias.
 */

import type { Message } from '../../client';
import { limits } from '../core/limits';

type Born = Pick<Message, 'topic' | 'payload' | 'receivedAt'>;

interface Birth {
  receivedAt: number;
  payload: Uint8Array;
}

/** BIRTHs kept of one, since a message may be older than the newest; and bytes of all. */
const { ofOne: mostOfOne, bytes: mostBytes } = limits.births;
/** Bytes that a browser needs for a node or device, and for a BIRTH, besides its text and its payload. */
const overhead = { owner: 300, birth: 300 };

const namespace = 'spBv1.0/';
/** Group, N for a node or D for its device, what it is about, and the node, the device. */
const shape = /^spBv1\.0\/([^/]+)\/([ND])(BIRTH|DATA|CMD)\/(.+)$/;

/** A character may take two bytes, and an engine may keep the whole topic for its parts. */
const costOfOwner = (owner: string): number => overhead.owner + 4 * (namespace.length + owner.length);
const costOf = ({ payload }: Birth): number => overhead.birth + payload.length;

export type Births = ReturnType<typeof createBirths>;

export function createBirths() {
  /** The one that has been silent for longest comes first. */
  const kept = new Map<string, Birth[]>();
  let bytes = 0;

  function drop(owner: string, births: Birth[], left: number): void {
    for (const birth of births.splice(0, births.length - left)) bytes -= costOf(birth);
    if (left > 0) return;
    kept.delete(owner);
    bytes -= costOfOwner(owner);
  }

  /** Keeps a message if it is a BIRTH. */
  function note({ topic, payload, receivedAt }: Born): void {
    if (!topic.startsWith(namespace)) return;
    const [, group, kind, what, owned] = shape.exec(topic) ?? [];
    if (what !== 'BIRTH' || payload.length > mostBytes) return;
    const owner = `${group}/${kind}/${owned}`;
    const births = kept.get(owner) ?? [];
    if (births.length === 0) bytes += costOfOwner(owner);
    kept.delete(owner);
    kept.set(owner, births);
    // A copy, since the payload would keep its batch in memory.
    const birth = { receivedAt, payload: payload.slice() };
    births.push(birth);
    bytes += costOf(birth);
    if (births.length > mostOfOne) drop(owner, births, mostOfOne);
    for (const [oldest, all] of kept) {
      if (bytes <= mostBytes) break;
      drop(oldest, all, oldest === owner ? 1 : 0);
    }
  }

  /** The payload of the BIRTH that a message refers to: the last one before it. */
  function before({ topic, receivedAt }: Pick<Message, 'topic' | 'receivedAt'>): Uint8Array | undefined {
    const [, group, kind, , owned] = shape.exec(topic) ?? [];
    return kept.get(`${group}/${kind}/${owned}`)?.findLast((birth) => birth.receivedAt <= receivedAt)
      ?.payload;
  }

  function clear(): void {
    kept.clear();
    bytes = 0;
  }

  return {
    note,
    before,
    clear,
    /** The bytes that count against the bound. */
    get bytes() {
      return bytes;
    },
  };
}
