/** The entries of a log: messages or packets. */

import type { ComponentChildren } from 'preact';
import type { Listed } from '../../log/log';
import { VirtualList } from '../../ui/virtual-list';

interface Props<Entry> {
  log: Listed<Entry>;
  label: string;
  narrow?: number;
  /** What a row shows. */
  row(entry: Entry): ComponentChildren;
  /** Of the button that opens an entry's details. */
  labelFor(entry: Entry): string;
}

export function LogList<Entry>({ log, label, narrow, row, labelFor }: Props<Entry>) {
  const open = log.open.value?.number;
  return (
    <VirtualList
      label={label}
      list={log}
      narrow={narrow}
      row={(place, key) => {
        const item = log.at(place.position);
        if (!item) return null;
        const { number, entry } = item;
        return (
          <div key={key} class="row" data-open={number === open} style={place.style}>
            {row(entry)}
            <button
              type="button"
              class="row-open"
              data-number={number}
              {...place.focus}
              aria-expanded={number === open}
              aria-label={labelFor(entry)}
              onClick={() => {
                place.visit();
                log.select(number === open ? undefined : number);
              }}
            />
          </div>
        );
      }}
    />
  );
}
