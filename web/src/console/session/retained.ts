/** Finds what the broker no longer retains: the only sign is that it was not sent again. */

import { createTopicIndex } from '../../client/routing/topic-index';
import type { Clock } from '../core/repeat';
import { retainedUnder } from '../topics/clear';
import { type Model, topicOf } from '../topics/model';
import type { Entry } from './subscriptions';

/** Milliseconds without retained messages, after which the broker has sent them all. */
const quiet = 5000;
/** Topics looked at in one go. */
const portion = 1000;

/** Whether the broker sends retained messages whenever it is subscribed to (3.8.3.1, 4.8.2). */
const brings = ({ filter, wanted, granted, paused }: Entry): boolean =>
  granted.peek() !== undefined &&
  !paused.peek() &&
  !wanted.peek().rh &&
  !wanted.peek().nl &&
  !filter.startsWith('$share/');

/**
 * Unmarks topics of the subscriptions whose retained message did not arrive in this round, while
 * `goOn` returns true.
 */
export async function unmark(
  model: Model,
  entries: { peek(): readonly Entry[] },
  { after }: Clock,
  goOn: () => boolean,
): Promise<void> {
  const { round } = model;
  const wait = (milliseconds: number) => new Promise<void>((resolve) => after(milliseconds, resolve));
  const missing = () => retainedUnder(model.root).filter(({ heard }) => heard !== round);
  const asked = new Set(entries.peek().filter(brings));

  let left = missing();
  for (let before = Number.POSITIVE_INFINITY; left.length < before; left = missing()) {
    before = left.length;
    await wait(quiet);
  }
  const index = createTopicIndex<Entry>();
  for (const entry of entries.peek()) if (asked.has(entry) && brings(entry)) index.add(entry.filter, entry);
  for (const [number, node] of left.entries()) {
    if (number % portion === 0) await wait(0);
    if (!goOn()) return;
    if (node.heard !== round && index.match(topicOf(node)).length > 0) model.setRetained(node, false);
  }
}
