/**
 * Runs the Go program: in a worker that the page's clients share, in one that all tabs share, or on
 * this thread.
 */

import type { FromWorker, ToDedicatedWorker } from '../../protocol/messages';
import workerUrl from '../../worker/dedicated.ts?worker&url';
import type { Settings } from '../checks/options';
import { MqttError } from '../errors';
import { load } from '../load';
import { importingBlob, isForeign, scriptUrl, startFailure, wasmFor, withWasm } from './asset-urls';
import type { Engine } from './calls';
import { createWorkerCalls } from './worker-calls';

type Place = 'worker' | 'workerUrl' | 'sharedWorkerUrl' | 'wasmUrl' | 'WebSocket';
export type EngineOptions = Pick<Settings, Place> & Partial<Pick<Settings, 'shared'>>;

/** Milliseconds that a worker without clients is kept for the next one. */
const restTime = 10_000;

/** By the addresses of the worker and the wasm. */
const own = new Map<string, Engine>();
const shared = new Map<string, Promise<Engine | undefined>>();

/** Starts loading the program. Resolves when it runs, and rejects with `crashed` when it can't. */
export async function programReady(options: EngineOptions): Promise<void> {
  await (await findEngine(options)).ready;
}

/** The program may still be loading. */
export async function findEngine(options: EngineOptions): Promise<Engine> {
  // Node has no Web Worker.
  if (!options.worker || typeof Worker === 'undefined') {
    const { openHere } = await load('the part that runs without a worker', import('./inline'));
    return openHere(options);
  }
  for (;;) {
    const engine = (options.shared && (await findShared(options))) || findOwn(options);
    const settled = engine.doubted?.();
    if (!settled) return engine;
    await settled;
  }
}

function findOwn(options: EngineOptions): Engine {
  const addresses = [options.workerUrl, options.wasmUrl];
  const engine = keep(own, addresses, (forget) => openWorker(options, forget));
  // Its next client may take a moment.
  engine.rest?.();
  return engine;
}

function findShared({ sharedWorkerUrl, wasmUrl }: EngineOptions): Promise<Engine | undefined> {
  return keep(shared, [sharedWorkerUrl, wasmUrl], (forget) => {
    const opening = load('the part that shares a worker', import('./shared-host')).then(
      ({ openSharedWorker }) => openSharedWorker(forget, sharedWorkerUrl, wasmUrl),
    );
    opening.catch(forget);
    return opening;
  });
}

/** Opens what is not open yet. After `forget` the next call opens another one. */
function keep<Opened>(
  all: Map<string, Opened>,
  addresses: unknown[],
  open: (forget: () => void) => Opened,
): Opened {
  const key = JSON.stringify(addresses);
  const found = all.get(key);
  if (found) return found;
  const opened = open(() => {
    // There may be another one by now.
    if (all.get(key) === opened) all.delete(key);
  });
  all.set(key, opened);
  return opened;
}

/** `onStopped` is called when this worker takes no more clients. */
function openWorker(options: EngineOptions, onStopped: () => void): Engine {
  let worker: Worker;
  let url: URL;
  let blob: string | undefined;
  let program: ReturnType<typeof compiled>;
  try {
    const wasm = wasmFor(options.workerUrl, options.wasmUrl);
    program = compiled(wasm);
    url = withWasm(options.workerUrl ?? new URL(workerUrl, import.meta.url), wasm);
    if (isForeign(url)) blob = importingBlob(url);
    // The worker looks for the fragment in the address that it was started with.
    const started = blob === undefined ? url : blob + url.hash;
    worker = new Worker(scriptUrl(started), { type: 'module', name: 'mqttwasm' });
  } catch (error) {
    throw new MqttError('crashed', `the browser refused to start the worker: ${startFailure(error)}`);
  }
  const post = (message: ToDedicatedWorker, transfer: Transferable[] = []): void =>
    worker.postMessage(message, transfer);
  void program.then((module) => post({ type: 'program', module }));
  let resting: ReturnType<typeof setTimeout> | undefined;

  function stop(): void {
    onStopped();
    unwatch();
    clearTimeout(resting);
    worker.terminate();
    if (blob !== undefined) URL.revokeObjectURL(blob);
  }

  /** The program never returns memory, so a worker without clients is ended. */
  function rest(): void {
    clearTimeout(resting);
    resting = setTimeout(() => {
      if (idle()) stop();
    }, restTime);
  }

  const { engine, hear, fail, idle, unwatch } = createWorkerCalls(url, post, { onFailed: stop, onEnd: rest });
  worker.onmessage = ({ data }: MessageEvent<FromWorker>) => hear(data);
  // Nothing in the worker throws unless the program trapped or did not load.
  worker.onerror = (event) => {
    event.preventDefault(); // otherwise it is an error of the page, too
    fail(event.message || `the worker could not be loaded from ${url.origin + url.pathname}`);
  };
  worker.onmessageerror = () => fail('a message from the worker could not be read');
  // Only if it has had clients: a program loaded in advance stays.
  return { ...engine, rest: () => resting && rest() };
}

/**
 * Compiles the program while the worker starts. Undefined if the page can't: then the worker loads
 * it, or says why it can't.
 */
async function compiled(wasm: string | URL | undefined): Promise<WebAssembly.Module | undefined> {
  if (!wasm) return undefined;
  try {
    return await WebAssembly.compileStreaming(fetch(wasm));
  } catch {
    return undefined;
  }
}
