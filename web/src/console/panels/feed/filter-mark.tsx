/** The colours by which one sees what came by which subscription. */

import { computed } from '@preact/signals';
import { compile } from '../../../client/routing/topic-filter';
import { visible } from '../../core/text';
import { colourOf } from '../../log/colours';
import type { Entry } from '../../log/entry';
import type { Page } from '../../session/page';
import { hue } from '../../ui/hue';
import './filter-mark.css';

export function FilterMark({ filter }: { filter: string }) {
  return <span class="filter-mark" style={hue(colourOf(filter))} />;
}

const none: readonly string[] = [];

/**
 * Gives the filters by which a message came, of those that its connection has
 * subscribed to; asks each of them once. Keys are the connections' numbers.
 */
export function createSelecting(
  filters: ReadonlyMap<number, readonly string[]>,
): (entry: Entry) => readonly string[] {
  const compiled = new Map(
    [...filters].map(([id, own]) => [id, own.map((filter) => ({ filter, selects: compile(filter) }))]),
  );
  const known = new WeakMap<Entry, readonly string[]>();
  return (entry) => {
    const { sent, message, via } = entry;
    if (sent) return none;
    let selecting = known.get(entry);
    if (!selecting) {
      const own = compiled.get(via.id) ?? [];
      selecting = own.filter(({ selects }) => selects(message.topic)).map(({ filter }) => filter);
      known.set(entry, selecting);
    }
    return selecting;
  };
}

/** More would be too thin to see. */
const most = 5;

export function RowMarks({ filters }: { filters: readonly string[] }) {
  if (filters.length === 0) return null;
  return (
    <span class="row-marks" title={filters.map(visible).join('\n')}>
      {filters.slice(0, most).map((filter) => (
        <FilterMark key={filter} filter={filter} />
      ))}
    </span>
  );
}

/** Of the page's messages, by what its sessions are subscribed to now. */
export const selectingOf = ({ filters }: Page) => computed(() => createSelecting(filters.value));
