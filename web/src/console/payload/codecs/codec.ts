/** One format: what its bytes say, and bytes from what was typed. Each codec is a module with these exports. */

import type { Sink } from '../sink';

interface Encoder {
  /**
   * The bytes of what was typed; also asked while it is typed, for what is wrong
   * with it. Throws PayloadError. `type` is Protobuf's.
   */
  encode(text: string, type?: string): Uint8Array;
}

/** What decides what the bytes mean, beside themselves. */
export interface Context {
  /** Full name of the Protobuf message. */
  type?: string | undefined;
  /** Of Sparkplug B: the payload of the BIRTH that the message stands on. */
  birth?: Uint8Array | undefined;
}

/** A format with values in it. */
export interface TreeCodec extends Encoder {
  /** Throws PayloadError, or what its library throws. */
  decode(payload: Uint8Array, out: Sink, context?: Context): void;
  /** The same for a single line, where that is not simply all values. */
  inRow?: TreeCodec['decode'];
}

/** A format that is shown as text, whatever the bytes. */
export interface TextCodec extends Encoder {
  /** At most `most` bytes of the payload, and how many are left. */
  decode(payload: Uint8Array, most: number): { text: string; left: number; error?: string };
}
