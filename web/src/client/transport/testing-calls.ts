/** For tests: calls to a worker that the test plays. */

import { vi } from 'vitest';
import type { BoundarySink } from '../../protocol/boundary';
import type { Method, ToWorker } from '../../protocol/messages';
import { createCalls } from './calls';

export const options = { url: 'ws://broker.test/mqtt' };
export const silent: BoundarySink = { onBatch: () => undefined, onEvent: () => {} };

/** The page's side; the test plays the worker that it posts to. */
export function page() {
  const posted: ToWorker[] = [];
  const transferred: Transferable[][] = [];
  const failed = vi.fn();
  const rpc = createCalls((message, transfer = []) => {
    posted.push(message);
    transferred.push(transfer);
  }, failed);
  const last = <T extends ToWorker['type']>(type: T) =>
    posted.findLast((message) => message.type === type) as Extract<ToWorker, { type: T }>;
  const called = (method: Method) =>
    posted.findLast((message) => message.type === 'call' && message.method === method) as Extract<
      ToWorker,
      { type: 'call' }
    >;
  async function connected(sink: Partial<BoundarySink> = {}) {
    const connecting = rpc.boundary.connect({ ...options, ...silent, ...sink });
    rpc.receive({ type: 'result', id: last('connect').id, value: undefined });
    return { link: await connecting, client: last('connect').client };
  }
  return { ...rpc, posted, transferred, failed, last, called, connected };
}
