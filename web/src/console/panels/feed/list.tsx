/** The entries of a log: messages or packets. */

import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import type { Listed } from '../../core/listed';
import { VirtualList } from '../../ui/virtual-list';

interface Props<Entry> {
  log: Listed<Entry>;
  label: string;
  breakpoint?: number;
  /** What a row shows. */
  row(entry: Entry): ComponentChildren;
  /** Of the button that opens an entry's details. */
  labelFor(entry: Entry): string;
}

export function LogList<Entry>({ log, label, breakpoint, row, labelFor }: Props<Entry>) {
  const open = log.open.value?.number;
  /** The position of the open row, if it was opened here. */
  const at = useRef<number | undefined>(undefined);
  return (
    <VirtualList
      label={label}
      list={log}
      held={open === undefined ? undefined : at.current}
      breakpoint={breakpoint}
      row={(place, key) => {
        const item = log.at(place.position);
        if (!item) return null;
        const { number, entry } = item;
        const select = (wanted: number | undefined) => {
          at.current = place.position;
          log.select(wanted);
        };
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
              onFocus={(event) => {
                // Moving by arrow keys also opens the row; a mouse click opens it later.
                if (open !== undefined && event.currentTarget.matches(':focus-visible')) select(number);
              }}
              onClick={() => {
                place.visit();
                select(number === open ? undefined : number);
              }}
            />
          </div>
        );
      }}
    />
  );
}
