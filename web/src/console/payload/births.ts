/**
 * The BIRTHs of a connection's Sparkplug B nodes and devices. They give the
 * names of what later messages may only number.
 */

import type { Message } from '../../client';

type Born = Pick<Message, 'topic' | 'payload' | 'receivedAt'>;

/** BIRTHs that are kept of one node or device, since a message may be older than the newest. */
const mostOfOne = 4;
/** Bytes that are kept of all of them. */
const mostBytes = 4 * 1024 * 1024;

const namespace = 'spBv1.0/';
/** Group, N for a node or D for its device, what it is about, and the node, the device. */
const shape = /^spBv1\.0\/([^/]+)\/([ND])(BIRTH|DATA|CMD)\/(.+)$/;

export type Births = ReturnType<typeof createBirths>;

export function createBirths() {
  /** The one that has been silent for longest comes first. */
  const kept = new Map<string, Born[]>();
  let bytes = 0;

  function drop(owner: string, births: Born[], left: number): void {
    for (const { payload } of births.splice(0, births.length - left)) bytes -= payload.length;
    if (left === 0) kept.delete(owner);
  }

  /** What arrives: the BIRTHs among it are kept. */
  function note({ topic, payload, receivedAt }: Born): void {
    if (!topic.startsWith(namespace)) return;
    const [, group, kind, what, owned] = shape.exec(topic) ?? [];
    if (what !== 'BIRTH' || payload.length > mostBytes) return;
    const owner = `${group}/${kind}/${owned}`;
    const births = kept.get(owner) ?? [];
    kept.delete(owner);
    kept.set(owner, births);
    // A copy: the payload is part of a batch, which it would keep alive.
    births.push({ topic, payload: payload.slice(), receivedAt });
    bytes += payload.length;
    if (births.length > mostOfOne) drop(owner, births, mostOfOne);
    for (const [oldest, all] of kept) {
      if (bytes <= mostBytes) break;
      drop(oldest, all, oldest === owner ? 1 : 0);
    }
  }

  /** The payload of the BIRTH that a message stands on: the last one before it. */
  function before({ topic, receivedAt }: Pick<Message, 'topic' | 'receivedAt'>): Uint8Array | undefined {
    const [, group, kind, , owned] = shape.exec(topic) ?? [];
    return kept.get(`${group}/${kind}/${owned}`)?.findLast((birth) => birth.receivedAt <= receivedAt)
      ?.payload;
  }

  return { note, before };
}
