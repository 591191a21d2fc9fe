/** The packets of a connection, as far as they are kept. */

import type { ReadonlySignal } from '@preact/signals';
import type { Packet, PacketName } from '../../../client/packet';
import { language } from '../../core/i18n/i18n';
import type { Timing } from '../../core/timing';
import { createLog } from '../log';
import { summaryOf } from './describe';
import { createExchanges } from './exchanges';
import { identifierOf } from './identifier';
import type { Entry } from './packet-entry';

export interface Filter {
  type: PacketName | '';
  direction: 'sent' | 'received' | '';
  /** In the name, the summary or the identifier, whatever the case. */
  search: string;
}

export const maxPackets = 20_000;
export const maxBytes = 16 * 1024 * 1024;
const overhead = 250;

export const noFilter: Filter = { type: '', direction: '', search: '' };

export type PacketLog = ReturnType<typeof createPacketLog>;

export function createPacketLog(
  shown: ReadonlySignal<boolean>,
  timing?: Timing,
  most = maxPackets,
  bytes = maxBytes,
) {
  const log = createLog({
    most,
    bytes,
    filter: noFilter,
    select({ type, direction, search }: Filter) {
      const wanted = search.toLowerCase();
      const test = (entry: Entry): boolean =>
        (type === '' || entry.packet.cmd === type) &&
        (direction === '' || entry.sent === (direction === 'sent')) &&
        (wanted === '' || searchedText(entry).includes(wanted));
      return { selection: { test } };
    },
    counts: () => ({}),
    shown,
    timing,
  });
  const exchanges = createExchanges(log.get);
  let last: number | undefined;

  /** In one line. Made when it is first shown or searched; its memory counts with the packet's. */
  function summary(entry: Entry): string {
    if (entry.summary?.language !== language.value) {
      const text = summaryOf(entry.packet);
      log.grow(entry.number, 2 * (text.length - (entry.summary?.text.length ?? 0)));
      entry.summary = { language: language.value, text };
    }
    return entry.summary.text;
  }

  function searchedText(entry: Entry): string {
    return `${entry.packet.cmd} ${entry.identifier ?? ''} ${summary(entry)}`.toLowerCase();
  }

  function push(sent: boolean, packet: Packet): void {
    const entry: Entry = {
      number: log.next(),
      sent,
      packet,
      identifier: identifierOf(packet),
      gap: last === undefined ? undefined : packet.at - last,
      size: packet.bytes.length + overhead,
    };
    last = packet.at;
    exchanges.enter(entry);
    log.push(entry);
    log.show();
  }

  function clear(): void {
    exchanges.clear();
    last = undefined;
    log.select(undefined);
    log.clear();
  }

  return { ...log, push, clear, summary };
}
