import type { Packet } from '../../../client/packet';

/** Where the variable header begins: after the fixed header (2.1.4). */
function afterLength(bytes: Uint8Array): number {
  let at = 1;
  while (at < 4 && (bytes[at] ?? 0) > 127) at++;
  return at + 1;
}

/** The Packet Identifier (2.2.1), without decoding the rest; undefined where the packet has none. */
export function identifierOf({ cmd, bytes }: Packet): number | undefined {
  const two = (at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  let at = afterLength(bytes);
  switch (cmd) {
    case 'connect':
    case 'connack':
    case 'pingreq':
    case 'pingresp':
    case 'disconnect':
    case 'auth':
    case 'reserved':
      return undefined;
    case 'publish':
      if (((bytes[0] ?? 0) & 6) === 0) return undefined; // QoS 0
      at += 2 + two(at);
  }
  return at + 2 > bytes.length ? undefined : two(at);
}
