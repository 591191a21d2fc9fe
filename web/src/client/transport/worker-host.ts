/** Where the Go program runs: in a worker that the page's clients share, in one that all tabs share, or on this thread. */

import type { Boundary, WireError } from '../../protocol/boundary';
import type { FromWorker, ToWorker } from '../../protocol/messages';
import workerUrl from '../../worker/dedicated.ts?worker&url';
import { bad } from '../checks/rules';
import { fromWire } from '../errors';
import { scriptUrl } from './asset-urls';
import { createCalls, type Engine } from './calls';
import { openSharedWorker } from './shared-host';

export interface EngineOptions {
  worker: boolean;
  /** One engine for the tabs of an origin. */
  shared?: boolean;
  WebSocket?: typeof WebSocket;
}

/** Milliseconds that a worker without clients is kept for the next one. */
const restTime = 10_000;

let own: Engine | undefined;
let shared: Promise<Engine | undefined> | undefined;

export async function openEngine(options: EngineOptions): Promise<Boundary> {
  return (await findEngine(options)).boundary;
}

/** Resolves when the program runs, which this starts to load, and rejects with `crashed` when it can't. */
export async function programReady(options: EngineOptions): Promise<void> {
  await (await findEngine(options)).ready;
}

/** The program may still be loading. */
export async function findEngine(options: EngineOptions): Promise<Engine> {
  // Node has no Worker of the web's kind.
  if (!options.worker || typeof Worker === 'undefined') return openInline(options);
  if (options.shared) {
    // When its program has ended, the next connect starts another one.
    shared ??= openSharedWorker(() => {
      shared = undefined;
    });
    const engine = await shared;
    if (engine) return engine;
  }
  own ??= openWorker();
  return own;
}

function openWorker(): Engine {
  let worker: Worker;
  try {
    worker = new Worker(scriptUrl(workerUrl), {
      type: 'module',
      name: 'mqttwasm',
    });
  } catch (error) {
    throw fromWire(crash(`the browser refused to start the worker: ${error}`));
  }
  let resting: ReturnType<typeof setTimeout> | undefined;

  /** The next connect starts another one. */
  function stop(): void {
    if (own === engine) own = undefined;
    worker.terminate();
  }

  /** Memory that the program once had it keeps to its end. */
  function rest(): void {
    clearTimeout(resting);
    resting = setTimeout(() => {
      if (idle()) stop();
    }, restTime);
  }

  const { boundary, ready, receive, fail, idle } = createCalls(
    (message, transfer = []) => worker.postMessage(message, transfer),
    stop,
    rest,
  );
  worker.onmessage = ({ data }: MessageEvent<FromWorker>) => receive(data);
  // Nothing in the worker throws unless the program trapped or did not load.
  worker.onerror = (event) => {
    event.preventDefault(); // or it is an error of the page, too
    fail(crash(event.message || 'the worker could not be loaded'));
  };
  worker.onmessageerror = () => fail(crash('a message from the worker could not be read'));
  const engine = { boundary, ready };
  return engine;
}

async function openInline(options: EngineOptions): Promise<Engine> {
  const Native = options.WebSocket ?? globalThis.WebSocket;
  if (Native === undefined) {
    throw bad('WebSocket', 'is missing and this platform has none; in Node give the class of the ws package');
  }
  let post: (message: ToWorker) => void = () => {};
  const { boundary, receive } = createCalls((message) => post(message));
  try {
    // Its own chunk: a page that uses the worker does not load it.
    const inline = await import('../../worker/inline');
    post = await inline.openInline(receive, Native);
  } catch (error) {
    throw fromWire(crash(`the WebAssembly program could not be started: ${error}`));
  }
  return { boundary, ready: Promise.resolve() };
}

function crash(message: string): WireError {
  return { code: 'crashed', message };
}
