/** The colours by which one sees what came by which subscription. */

import type { Message } from '../../client';
import { compile } from '../../topic-filter';
import { visible } from '../text';
import { colourOf } from './colours';
import './mark.css';

export function FilterMark({ filter }: { filter: string }) {
  return <span class="filter-mark" data-colour={colourOf(filter)} />;
}

/** Gives the filters that select a message; asks each of them once. */
export function createSelecting(filters: readonly string[]): (message: Message) => string[] {
  const compiled = filters.map((filter) => ({ filter, selects: compile(filter) }));
  const known = new WeakMap<Message, string[]>();
  return (message) => {
    let selecting = known.get(message);
    if (!selecting) {
      selecting = compiled.filter(({ selects }) => selects(message.topic)).map(({ filter }) => filter);
      known.set(message, selecting);
    }
    return selecting;
  };
}

/** More would be too thin to see. */
const most = 5;

export function RowMarks({ filters }: { filters: string[] }) {
  if (filters.length === 0) return null;
  return (
    <span class="row-marks" title={filters.map(visible).join('\n')}>
      {filters.slice(0, most).map((filter) => (
        <FilterMark key={filter} filter={filter} />
      ))}
    </span>
  );
}
