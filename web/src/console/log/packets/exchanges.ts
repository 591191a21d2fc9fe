/** Which packet answers which. */

import type { PacketName } from '../../../client/packet';
import type { Entry } from './packet-entry';

const answers: Partial<Record<PacketName, PacketName>> = {
  connack: 'connect',
  puback: 'publish',
  pubrec: 'publish',
  pubrel: 'pubrec',
  pubcomp: 'pubrel',
  suback: 'subscribe',
  unsuback: 'unsubscribe',
  pingresp: 'pingreq',
};

const answered = new Set(Object.values(answers));

/** Requests without an answer that are remembered. */
const most = 10_000;

/** By their numbers, so that a packet that was dropped is not kept for its answer. */
export function createExchanges(get: (number: number) => Entry | undefined) {
  const waiting = new Map<string, number[]>();

  function enter(entry: Entry): void {
    const { sent, identifier = '' } = entry;
    const { cmd } = entry.packet;
    // PINGREQs of the connection before, which have no answer any more.
    if (cmd === 'connect') waiting.delete(`${sent} pingreq `);
    const request = answers[cmd];
    if (request) {
      const key = `${!sent} ${request} ${identifier}`;
      const [first, ...rest] = waiting.get(key) ?? [];
      const asked = first === undefined ? undefined : get(first);
      if (asked) {
        entry.request = asked.number;
        asked.answer = entry.number;
        entry.took = entry.packet.at - asked.packet.at;
        asked.took = entry.took;
      }
      if (rest.length > 0) waiting.set(key, rest);
      else waiting.delete(key);
    }
    if (!answered.has(cmd)) return;
    const key = `${sent} ${cmd} ${identifier}`;
    // PINGREQ has no identifier, so answers come in order; with an identifier, a resent packet
    // replaces the first.
    const before = cmd === 'pingreq' ? (waiting.get(key) ?? []) : [];
    // A QoS 0 message is not answered.
    if (cmd === 'publish' && identifier === '') return;
    if (waiting.size >= most) waiting.clear();
    waiting.set(key, [...before, entry.number].slice(-100));
  }

  return { enter, clear: () => waiting.clear() };
}
