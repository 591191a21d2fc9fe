import type { Packet } from '../../../client/packet';
import type { Language } from '../../core/i18n/i18n';

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
  size: number;
  /** In one line, in the language that it was made in. */
  summary?: { readonly language: Language; readonly text: string };
  /** The numbers of what it answers, and of its answer. */
  request?: number;
  answer?: number;
  /** Milliseconds between the two. */
  took?: number;
}
