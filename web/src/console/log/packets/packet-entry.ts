import type { Packet } from '../../../client/packet';

/** A packet as the timeline keeps it. */
export interface Entry {
  /** From 0, in the order of arrival. */
  readonly number: number;
  readonly sent: boolean;
  readonly packet: Packet;
  readonly identifier: number | undefined;
  /** Milliseconds since the packet before; undefined for the first. */
  readonly gap: number | undefined;
  /** Bytes, with what the browser needs for it. */
  readonly size: number;
  /** The numbers of what it answers, and of its answer. */
  request?: number;
  answer?: number;
  /** Milliseconds between the two. */
  took?: number;
}
