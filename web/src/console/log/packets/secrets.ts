/** The parts of a packet that are never shown: passwords and authentication data. */

import { type Packet, type PacketFields, packetOf } from '../../../client/packet';
import { hexDump } from '../../core/lines';

/**
 * The fields, or undefined if the packet cannot be read. Decodes anew, since `packet.fields` keeps
 * its result as long as the packet.
 */
export function fieldsOf({ bytes, at }: Packet): PacketFields | undefined {
  try {
    return packetOf(bytes, at).fields;
  } catch {
    return undefined;
  }
}

/** From, and up to, in the packet's bytes. */
type Range = readonly [from: number, to: number];

/** A packet that cannot be read and may contain a secret is secret as a whole. */
function secretsOf(packet: Packet): Range[] {
  const fields = fieldsOf(packet);
  const { bytes, cmd } = packet;
  if (!fields) return ['connect', 'connack', 'auth'].includes(cmd) ? [[1, bytes.length]] : [];
  // The decoder gives views of the packet's own bytes.
  return [fields.password, fields.properties?.authenticationData].flatMap((part): Range[] => {
    if (!(part instanceof Uint8Array)) return [];
    const from = part.byteOffset - bytes.byteOffset;
    return [[from, from + part.length]];
  });
}

/** The first bytes as offset, hexadecimal and ASCII, with dots in place of secrets. */
export function maskedDump(packet: Packet, limit: number, perLine = 16): string {
  const secrets = secretsOf(packet);
  const isSecret = (at: number): boolean => secrets.some(([from, to]) => at >= from && at < to);
  return hexDump(packet.bytes.subarray(0, limit), perLine, 4, isSecret);
}
