/** Finds topics by a few letters, a few milliseconds at a time: there may be 100,000 of them. */

import { distance, enter, type Match } from '../core/match';
import { type Model, type TopicNode, topicOf } from './model';

/** Topics between looks at the clock. */
const batch = 256;

/** The `most` nearest to what is typed. */
export function createLookup(model: Model, typed: string, most: number) {
  const { topics } = model;
  const nearest: Match<TopicNode>[] = [];
  let looked = 0;
  let found = 0;

  /** Searches on until `until` by the clock `now`; returns true when it is complete. */
  function advance(now: () => number, until: number): boolean {
    while (looked < topics.length) {
      const item = topics[looked++] as TopicNode;
      const far = distance(topicOf(item), typed);
      if (far !== undefined) {
        found++;
        enter(nearest, { item, distance: far }, most);
      }
      if (looked % batch === 0 && now() >= until) break;
    }
    return looked >= topics.length;
  }

  return {
    advance,
    get nearest(): TopicNode[] {
      return nearest.map(({ item }) => item);
    },
    get found() {
      return found;
    },
  };
}
