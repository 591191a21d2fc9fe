/** Finds the topics that contain a text, a few at a time, and those that come later. */

import { type Model, type TopicNode, topicOf } from './model';

export type Search = ReturnType<typeof createSearch>;

export function createSearch(model: Model) {
  let wanted = '';
  let looked = 0;
  let found = 0;
  /** What was found, and the levels that lead there. */
  let kept = new Set<TopicNode>();

  /** Upper and lower case are the same to it. */
  function start(text: string): void {
    wanted = text.toLowerCase();
    looked = 0;
    found = 0;
    kept = new Set();
  }

  /** Searches on until `until` by the clock `now`; returns false if there is more. */
  function advance(now: () => number, until: number): boolean {
    const { topics } = model;
    if (wanted === '') return true;
    while (looked < topics.length) {
      const node = topics[looked++] as TopicNode;
      if (topicOf(node).toLowerCase().includes(wanted)) {
        found++;
        for (let up: TopicNode | undefined = node; up && !kept.has(up); up = up.parent) kept.add(up);
      }
      if (looked % 256 === 0 && now() >= until) break;
    }
    return looked === topics.length;
  }

  return {
    start,
    advance,
    get kept(): ReadonlySet<TopicNode> | undefined {
      return wanted === '' ? undefined : kept;
    },
    get found() {
      return found;
    },
    get looked() {
      return looked;
    },
  };
}
