/** What the program asks a page before an attempt to connect, and for authentication. */

import { deferred } from '../../platform/deferred';
import type { BoundarySink } from '../../protocol/boundary';
import { within } from '../limits';
import type { Member } from './member';

/**
 * Milliseconds until the next page is asked, too; or a third of the time for an attempt, if that is
 * less.
 */
const longestAnswer = 10_000;

export function createQuestions(members: ReadonlySet<Member>, connectTimeout: number) {
  /** Members that left a question unanswered. */
  const slow = new WeakSet<Member>();

  /**
   * Asks the newest member that answers such questions, and the next one, too, when that one goes
   * away or takes long. From then on it is asked last, even if its late answer is not used: the
   * steps that follow an answer go to the member that gave it.
   */
  return async function ask<T>(
    question: (sink: BoundarySink) => Promise<T> | undefined,
  ): Promise<T | undefined> {
    const inTurn = [...members].reverse().sort((a, b) => Number(slow.has(a)) - Number(slow.has(b)));
    const asked: Promise<void>[] = [];
    let done = false;
    const { promise: answered, ...settle } = deferred<T>();
    for (const member of inTurn) {
      const answering = member.away ? undefined : question(member.sink);
      if (!answering) continue;
      const over = member.unlessAway(answering.then((value) => ({ value }))).then(
        (answer) => {
          if (!answer) return;
          if (!done) slow.delete(member);
          done = true;
          settle.resolve(answer.value);
        },
        (error) => {
          done = true;
          settle.reject(error);
        },
      );
      asked.push(over);
      const limits = { timeout: Math.min(connectTimeout / 3, longestAnswer) };
      await within(Promise.race([over, answered]), limits, 'ask').catch(() => {
        if (!done) slow.add(member);
      });
      if (done) break;
    }
    return Promise.race([answered, Promise.all(asked).then(() => undefined)]);
  };
}
