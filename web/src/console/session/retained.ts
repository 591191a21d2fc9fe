/** What the broker no longer retains: nothing says so but that it was not sent again. */

import { createTopicIndex } from '../../client/routing/topic-index';
import type { Clock } from '../core/repeat';
import { retainedUnder } from '../topics/clear';
import { type Model, topicOf } from '../topics/model';
import type { Entry } from './subscriptions';

/** Milliseconds in which nothing came again that was retained: the broker has sent it all. */
const quiet = 5000;
/** Topics looked at in one go. */
const portion = 1000;

/** Whether the broker sends by it what it retains, whenever it is subscribed to (3.8.3.1, 4.8.2). */
const brings = ({ filter, wanted, granted, paused }: Entry): boolean =>
  granted.peek() !== undefined &&
  !paused.peek() &&
  !wanted.peek().rh &&
  !wanted.peek().nl &&
  !filter.startsWith('$share/');

/** Takes the mark from topics of the subscriptions that were not heard of in this round, as long as `goOn` says so. */
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
