/** The calls of one member that have not been answered. It may end before they are. */

import { nextTask } from '../../platform/next-task';
import type { GoClient, OnSettled } from '../../protocol/boundary';
import { clientEnded } from '../dispatcher';
import { failure } from '../limits';

export type OpenCalls = ReturnType<typeof createOpenCalls>;

export const hasEnded = (): Error => failure(clientEnded.code, clientEnded.message);

export function createOpenCalls() {
  const refusals = new Set<(error: Error) => void>();
  /** Numbers of unsettled messages. */
  const publishing = new Set<number>();
  let single = 0;
  let report: OnSettled = () => {};
  /** Callbacks that wait until the broker has answered everything. */
  const waiting = new Set<() => void>();

  function onAnswered(): void {
    for (const tell of waiting) tell();
    waiting.clear();
  }

  /** The call's outcome, unless the member ends first. */
  function track<T>(call: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      refusals.add(reject);
      call.then(resolve, reject).finally(() => refusals.delete(reject));
    });
  }

  function check(): void {
    if (single === 0 && publishing.size === 0) onAnswered();
  }

  /** Like `track`, for calls that ending the client waits for. */
  function send<T>(call: Promise<T>): Promise<T> {
    single++;
    return track(call).finally(() => {
      single--;
      check();
    });
  }

  /** The same function each time, since Go reports together those that share it. */
  const onSettled: OnSettled = (acks, others) => {
    const view = new DataView(acks);
    for (let at = 0; at < acks.byteLength; at += 9) publishing.delete(view.getFloat64(at, true));
    for (const { id } of others) publishing.delete(id);
    report(acks, others);
    check();
  };

  async function publishAll(link: GoClient, records: Uint8Array, first: number, told: OnSettled) {
    report = told;
    const ids = numbersOf(records, first);
    for (const id of ids) publishing.add(id);
    try {
      await link.publishAll(records, first, onSettled);
    } catch (error) {
      for (const id of ids) publishing.delete(id);
      check();
      throw error;
    }
  }

  return {
    track,
    send,
    publishAll,
    /** Resolves after the last answer to what was sent, or when no more will come. */
    answered(): Promise<void> {
      return new Promise((resolve) => {
        waiting.add(() => nextTask(resolve));
        check();
      });
    },
    /** The connection is lost: no answers come for some time. */
    lost: onAnswered,
    end(): void {
      const error = hasEnded();
      for (const refuse of refusals) refuse(error);
      const others = [...publishing].map((id) => ({ id, error: clientEnded }));
      if (others.length > 0) onSettled(new ArrayBuffer(0), others);
    },
  };
}

/** The numbers of the records of a batch (`client/transport/publish-batch.ts`). */
function numbersOf(records: Uint8Array, first: number): number[] {
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
  const numbers: number[] = [];
  for (let at = 0; at < records.length; at += 4 + view.getUint32(at, true)) {
    numbers.push(first + numbers.length);
  }
  return numbers;
}
