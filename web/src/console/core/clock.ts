import { scriptUrl } from '../../client/transport/asset-urls';
import workerUrl from './clock.worker.ts?worker&url';
import type { Clock } from './repeat';

/** A clock that keeps its pace while the page is hidden. */
export function createTicker(): Clock {
  const waiting = new Map<number, () => void>();
  let nextId = 0;
  let worker: Worker | undefined;

  function start(): Worker {
    const started = new Worker(scriptUrl(workerUrl), { type: 'module' });
    started.onmessage = ({ data }: MessageEvent<number>) => {
      const call = waiting.get(data);
      waiting.delete(data);
      call?.();
    };
    return started;
  }

  return {
    now: () => performance.now(),
    after(milliseconds, call) {
      worker ??= start();
      const id = nextId++;
      waiting.set(id, call);
      worker.postMessage({ id, milliseconds });
      return () => waiting.delete(id);
    },
  };
}
