/** Protobuf by the user's .proto files. */

import { chosen, schema } from './definitions';
import { decodeMessage } from './message';
import type { Sink } from './sink';

/** Throws PayloadError. Without a type, field numbers are shown. */
export function decode(payload: Uint8Array, out: Sink, type: string | undefined): void {
  const name = chosen(type);
  decodeMessage(payload, name === undefined ? undefined : schema.value?.root.lookupType(name), out);
}
