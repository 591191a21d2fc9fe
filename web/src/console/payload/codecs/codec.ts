/** One format: decoding, and encoding what was typed. Each codec is a module with these exports. */

import type { Definition } from '../schema';
import type { Sink } from '../sink';

export interface Encoder {
  /** The bytes of what was typed; also called while typing, to validate it. Throws PayloadError. */
  encode(text: string, definition?: Definition): Uint8Array;
}

/** What determines the meaning of the bytes, besides themselves. */
export interface Context extends Definition {
  /** For Sparkplug B: the payload of the BIRTH that the message refers to. */
  birth?: Uint8Array | undefined;
}

/** A format with values in it. */
export interface TreeCodec extends Encoder {
  /** Throws PayloadError, or what its library throws. */
  decode(payload: Uint8Array, out: Sink, context?: Context): void;
  /** The same for a single line, if that is not simply all values. */
  inRow?: TreeCodec['decode'];
}
