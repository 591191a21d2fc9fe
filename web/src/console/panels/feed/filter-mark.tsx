/** Colour marks that show the subscriptions of a message. */

import { computed } from '@preact/signals';
import { compile } from '../../../client/routing/topic-filter';
import { visible } from '../../core/text';
import type { Entry } from '../../log/entry';
import type { Page } from '../../session/page';
import type { Source } from '../../session/subscriptions';
import { hue } from '../../ui/hue';
import './filter-mark.css';

export function FilterMark({ degrees }: { degrees: number }) {
  return <span class="filter-mark" style={hue(degrees)} />;
}

export const labelOf = ({ name, filter }: Source): string =>
  name ? `${visible(name)}: ${visible(filter)}` : visible(filter);

const none: readonly Source[] = [];

/**
 * Returns the subscriptions that a message matches, of those that its connection had when it
 * arrived; checks each once. Keys are the connections' numbers.
 */
export function createSelecting(
  sources: ReadonlyMap<number, readonly Source[]>,
): (entry: Entry) => readonly Source[] {
  const compiled = new Map(
    [...sources].map(([id, own]) => [id, own.map((source) => ({ source, selects: compile(source.filter) }))]),
  );
  const known = new WeakMap<Entry, readonly Source[]>();
  return (entry) => {
    const { sent, message, via } = entry;
    if (sent) return none;
    let selecting = known.get(entry);
    if (!selecting) {
      const { topic, receivedAt } = message;
      selecting = (compiled.get(via.id) ?? [])
        .filter(({ source, selects }) => {
          return source.since <= receivedAt && receivedAt < source.until && selects(topic);
        })
        .map(({ source }) => source);
      known.set(entry, selecting);
    }
    return selecting;
  };
}

/** More would be too thin to be visible. */
const most = 5;

export function RowMarks({ sources }: { sources: readonly Source[] }) {
  if (sources.length === 0) return null;
  return (
    <span class="row-marks" title={sources.map(labelOf).join('\n')}>
      {sources.slice(0, most).map(({ filter, hue }) => (
        <FilterMark key={filter} degrees={hue} />
      ))}
    </span>
  );
}

/** Of the page's messages. */
export const selectingOf = ({ sources }: Page) => computed(() => createSelecting(sources.value));
