/** One line of the feed. */

import type { Message } from '../../client';
import type { Births } from '../payload/births';
import type { Sized } from './ring';

/** The connection of a message, with its name at the time. */
export interface Via {
  readonly id: number;
  readonly name: string;
  /** The BIRTHs of the Sparkplug B nodes and devices that it received. */
  readonly births?: Births;
}

export interface Entry extends Sized {
  readonly message: Message;
  readonly via: Via;
  readonly sent: boolean;
  /** How many messages of its direction came before it. */
  readonly ordinal: number;
  /** Published here, and known not to have left. */
  unsent?: boolean;
  /** The text of a script's alert. */
  alert?: string;
  /** From a recording: neither received nor sent now. */
  replayed?: boolean;
}

/** Bytes that a browser needs for a message besides its own, roughly: objects, decoded topic, indexes. */
export const overhead = 256;

export function entryFor(message: Message, ordinal: number, via: Via, sent = false): Entry {
  return { message, ordinal, via, sent, size: message.size + overhead };
}

export const directions = ['received', 'sent', 'not sent'] as const;
export type Direction = (typeof directions)[number];

export function directionOf({ sent, unsent }: Entry): Direction {
  if (!sent) return 'received';
  return unsent ? 'not sent' : 'sent';
}
