/** The packets of a connection, as far as they are kept, and those that the filter selects. */

import { batch, signal } from '@preact/signals';
import type { Packet, PacketName } from '../../../client/packet';
import type { Paint } from '../../core/paint';
import { createRing } from '../ring';
import { summaryOf } from './describe';
import { createExchanges } from './exchanges';
import { identifierOf } from './identifier';
import type { Entry } from './packet-entry';

export interface Filter {
  type: PacketName | '';
  direction: 'sent' | 'received' | '';
  /** In the name, the summary or the identifier, whatever the case. */
  text: string;
}

export const maxPackets = 20_000;
export const maxBytes = 16 * 1024 * 1024;
const overhead = 250;

export const noFilter: Filter = { type: '', direction: '', text: '' };

export type PacketLog = ReturnType<typeof createPacketLog>;

export function selects({ type, direction, text }: Filter, { sent, packet, identifier }: Entry): boolean {
  if (type !== '' && packet.cmd !== type) return false;
  if (direction !== '' && sent !== (direction === 'sent')) return false;
  if (text === '') return true;
  return `${packet.cmd} ${identifier ?? ''} ${summaryOf(packet)}`.toLowerCase().includes(text.toLowerCase());
}

export function createPacketLog(paint: Paint, most = maxPackets, bytes = maxBytes) {
  const ring = createRing<Entry>(most, bytes);
  const exchanges = createExchanges(ring.get);
  const filter = signal<Filter>(noFilter);
  /** Numbers of the packets that the filter selects. */
  let selected: number[] = [];
  /** Of those, how many have made room for newer ones. */
  let gone = 0;
  let generation = 0;
  let cleared = 0;
  let last: number | undefined;
  let asked = false;

  function trim(): void {
    const kept = selected.findIndex((number) => number >= ring.first);
    const count = kept < 0 ? selected.length : kept;
    selected.splice(0, count);
    gone += count;
  }

  function look() {
    trim();
    return {
      first: gone,
      end: gone + selected.length,
      generation,
      kept: ring.end - ring.first,
      bytes: ring.bytes,
      evicted: ring.first - cleared,
    };
  }

  const view = signal(look());
  const open = signal<Entry | undefined>(undefined);

  function show(): void {
    if (asked) return;
    asked = true;
    paint(() => {
      asked = false;
      view.value = look();
    });
  }

  function push(sent: boolean, packet: Packet): void {
    const entry: Entry = {
      number: ring.end,
      sent,
      packet,
      identifier: identifierOf(packet),
      gap: last === undefined ? undefined : packet.at - last,
      size: packet.bytes.length + overhead,
    };
    last = packet.at;
    exchanges.enter(entry);
    ring.push(entry);
    if (selects(filter.value, entry)) selected.push(entry.number);
    // Nothing is painted while nobody sees it.
    if (selected.length > 2 * most) trim();
    show();
  }

  function edit(changes: Partial<Filter>): void {
    const next = { ...filter.value, ...changes };
    selected = [];
    gone = 0;
    generation++;
    for (let number = ring.first; number < ring.end; number++) {
      const entry = ring.get(number);
      if (entry && selects(next, entry)) selected.push(number);
    }
    batch(() => {
      filter.value = next;
      view.value = look();
    });
  }

  function clear(): void {
    ring.clear();
    exchanges.clear();
    cleared = ring.first;
    last = undefined;
    batch(() => {
      open.value = undefined;
      view.value = look();
    });
  }

  return {
    filter,
    view,
    open,
    push,
    edit,
    clear,
    /** What the list shows at a position. */
    at: (position: number): Entry | undefined => ring.get(selected[position - gone] ?? -1),
    /** What the list shows, and what of it is out of sight. */
    listed: (): Entry[] => selected.flatMap((number) => ring.get(number) ?? []),
    get: ring.get,
  };
}
