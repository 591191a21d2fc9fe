import wasmUrl from '@jitl/quickjs-ng-wasmfile-release-sync/wasm?url';
import type { ToWorker } from './protocol';
import { createRunner } from './runner';
import { createSandbox } from './sandbox';

const wasm = fetch(wasmUrl)
  .then((response) => {
    if (!response.ok) throw new Error(`status ${response.status}`);
    return response.arrayBuffer();
  })
  .then((bytes) => WebAssembly.compile(bytes));

const run = createRunner({
  post: (message) => self.postMessage(message),
  create: async (program, callbacks) => createSandbox(await wasm, program, callbacks),
  after: (milliseconds, call) => void setTimeout(call, milliseconds),
  now: () => performance.now(),
});

self.onmessage = ({ data }: MessageEvent<ToWorker>) => run(data);
