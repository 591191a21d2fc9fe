/** Packets as a file: JSON, or a JSON text on each line. Secrets are not in it. */

import type { Packet } from '../../../client/packet';
import { decodeUtf8, formatCount } from '../../core/text';
import { base64 } from '../../payload/codecs/base64';
import { fileWriter } from '../export';
import type { Entry } from './packet-entry';
import { fieldsOf } from './secrets';

const secret = new Set(['password', 'authenticationData']);

/** Bytes as text where they are UTF-8, or else in base64. */
function plain(name: string, value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return value;
  if (secret.has(name))
    return { hidden: `${formatCount(value.length)} ${value.length === 1 ? 'byte' : 'bytes'}` };
  return decodeUtf8(value) ?? { base64: base64(value) };
}

function fieldsAsData(packet: Packet): unknown {
  const fields = fieldsOf(packet);
  return fields ? JSON.parse(JSON.stringify(fields, plain)) : undefined;
}

export function recordOf(entry: Entry) {
  const { packet, sent, identifier, number, request, took } = entry;
  return {
    number: number + 1,
    time: new Date(packet.at).toISOString(),
    direction: sent ? 'sent' : 'received',
    packet: packet.cmd.toUpperCase(),
    ...(identifier !== undefined && { packetIdentifier: identifier }),
    bytes: packet.bytes.length,
    ...(request !== undefined && { answers: request + 1, milliseconds: took }),
    fields: fieldsAsData(packet),
  };
}

export const fileOf = fileWriter(recordOf);
