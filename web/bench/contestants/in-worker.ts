import { lost, type Open } from './contestant';
import type { FromWorker, ToWorker } from './worker-messages';

type Answered = Exclude<ToWorker, { type: 'publish' }>;

/** Starts a contestant in a worker of its own. */
export async function loadInWorker(library: 'bare' | 'mqttjs'): Promise<Open> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  await new Promise((resolve, reject) => {
    worker.onmessage = resolve;
    worker.onerror = reject;
  });
  return async (options, sink) => {
    const publishing = new Map<number, () => void>();
    let lastId = 0;
    let settle = { resolve: (): void => {}, reject: (_: Error): void => {} };

    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      switch (data.type) {
        case 'message':
          return sink.message(data.topic, data.payload);
        case 'frame':
          return sink.frame(data.data, data.messages, data.ended);
        case 'published':
          publishing.get(data.id)?.();
          publishing.delete(data.id);
          return;
        case 'lost':
          return lost(data.why);
        case 'failed':
          return settle.reject(new Error(data.error));
        case 'done':
          return settle.resolve();
      }
    };

    const ask = (message: Answered): Promise<void> =>
      new Promise((resolve, reject) => {
        settle = { resolve, reject };
        worker.postMessage(message);
      });

    await ask({ type: 'open', library, options });
    return {
      subscribe: (filter, qos) => ask({ type: 'subscribe', filter, qos }),
      publish(topic, payload, qos, done) {
        lastId++;
        publishing.set(lastId, done);
        worker.postMessage({ type: 'publish', topic, payload, qos, id: lastId } satisfies ToWorker);
      },
      close: () => ask({ type: 'close' }),
    };
  };
}
