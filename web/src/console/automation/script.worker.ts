import { fetchEngine } from './engine';
import type { ToWorker } from './protocol';
import { createRunner } from './runner';
import { createSandbox } from './sandbox';

const wasm = fetchEngine();

const run = createRunner({
  post: (message) => self.postMessage(message),
  create: async (program, callbacks) => createSandbox(await wasm, program, callbacks),
  after: (milliseconds, call) => void setTimeout(call, milliseconds),
  now: () => performance.now(),
});

self.onmessage = ({ data }: MessageEvent<ToWorker>) => run(data);
