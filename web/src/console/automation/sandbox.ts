/**
 * One script, in an engine of its own: QuickJS in a WebAssembly memory that can't
 * grow beyond a bound. The script sees the language and its API, and nothing else.
 */

import variant from '@jitl/quickjs-ng-wasmfile-release-sync';
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSHandle,
  type VmCallResult,
} from 'quickjs-emscripten-core';
import { bounds } from './bounds';
import { prelude } from './prelude';
import type { Act, Asked, Delivered, Place, Program, Publication } from './protocol';

export interface Dependencies {
  /** Milliseconds, never going back. */
  now(): number;
  act(act: Act): void;
  /** Has `fire` called with `id` after so many milliseconds, once. */
  wake(id: number, milliseconds: number): void;
  /** Gets what `message` returned. An error thrown here counts as the script's. */
  made?(topic: string, payload: string | Uint8Array): void;
}

/**
 * The function that a script must have: one gets messages; the other makes those of a fleet, and
 * has only the language.
 */
export type Entry = 'onMessage(message)' | 'message(device)';

export type Sandbox = Awaited<ReturnType<typeof createSandbox>>;

const file = 'script.js';
/** Bytes, in which a WebAssembly memory grows. */
const page = 64 * 1024;
const mostMemory = bounds.memory.script + bounds.memory.engine;
/** Milliseconds between two checks of the clock that count at most as the script's own. */
const mostBetween = 20;

const utf8 = new TextDecoder();

/** A syntax error at the end is reported in the line after the script. */
function placeIn(stack: string, lines: number): Place | undefined {
  const [, line, column] = /script\.js:(\d+)(?::(\d+))?/.exec(stack) ?? [];
  return line === undefined
    ? undefined
    : { line: Math.min(Number(line), lines), column: Number(column ?? 1) };
}

/** The compiled engine is shared by all scripts. When this resolves the script's top level has run. */
export async function createSandbox(
  wasm: WebAssembly.Module,
  { code, rate, state, entry = 'onMessage(message)' }: Omit<Program, 'id'> & { entry?: Entry },
  { now, act, wake, made }: Dependencies,
) {
  const wasmMemory = new WebAssembly.Memory({
    initial: 256, // as the engine was built for
    maximum: mostMemory / page,
  });
  const engine = await newQuickJSWASMModuleFromVariant(newVariant(variant, { wasmModule: wasm, wasmMemory }));
  const runtime = engine.newRuntime();
  runtime.setMaxStackSize(bounds.stack);
  const context = runtime.newContext();

  const lines = code.split('\n').length;
  let ended = false;
  let begun = 0;
  let looked = 0;
  let spent = 0;
  let slow = false;
  let called = false;
  let lasts = true;

  function begin(): void {
    begun = looked = now();
    spent = 0;
    slow = false;
  }

  /** What it did in the current second, and what was left out of that. */
  const most = { publications: rate, alerts: bounds.perSecond.alerts, lines: bounds.perSecond.lines };
  const none = { publications: 0, alerts: 0, lines: 0 };
  let second = now();
  let done = { ...none };
  let left = { ...none };

  function tell(): void {
    if (now() - second < 1000) return;
    second = now();
    done = { ...none };
    if (left.publications + left.alerts + left.lines === 0) return;
    act({ kind: 'limited', ...left });
    left = { ...none };
  }

  function hasRoom(kind: keyof typeof most): boolean {
    tell();
    if (done[kind] >= most[kind]) {
      left[kind]++;
      return false;
    }
    done[kind]++;
    return true;
  }

  const repeated = new Map<number, number>();
  const waiting = new Set<number>();

  function publish(given: unknown, payload?: Uint8Array, data?: Uint8Array): boolean {
    const [topic, typed, options, text] = given as [
      string,
      string | null,
      Publication['options'],
      string | null,
    ];
    const body = payload ?? typed ?? '';
    if (body.length > bounds.payload) {
      throw new RangeError(`publish: the payload is larger than ${bounds.payload / 1024} KiB`);
    }
    if (!hasRoom('publications')) return false;
    const publication = { topic, payload: body, options, correlationData: data ?? text ?? undefined };
    act({ kind: 'publish', publication });
    return true;
  }

  function startTimer([id, milliseconds, again]: [id: number, milliseconds: number, again: boolean]): void {
    if (waiting.size >= bounds.timers) throw new RangeError(`more than ${bounds.timers} timers`);
    const delay = Math.min(Math.max(milliseconds, bounds.shortest), 2 ** 31 - 1);
    if (again) repeated.set(id, delay);
    waiting.add(id);
    wake(id, delay);
  }

  function stopTimer(id: number): void {
    waiting.delete(id);
    repeated.delete(id);
  }

  const bytesOf = (handle: QuickJSHandle | undefined): Uint8Array | undefined =>
    !handle || context.typeof(handle) === 'undefined'
      ? undefined
      : context.getArrayBuffer(handle).consume(({ value }) => value.slice());

  const host = context.newFunction('host', (name, json, ...buffers) => {
    const given: unknown = JSON.parse(context.getString(json));
    const [first, other] = buffers.map(bytesOf);
    switch (context.getString(name)) {
      case 'publish':
        return publish(given, first, other) ? context.true : context.false;
      case 'alert':
      case 'log': {
        const kind = context.getString(name) === 'log' ? 'log' : 'alert';
        if (hasRoom(kind === 'log' ? 'lines' : 'alerts'))
          act({ kind, text: String(given).slice(0, bounds.line) });
        return context.undefined;
      }
      case 'text':
        return context.newString(JSON.stringify(utf8.decode(first)));
      case 'message': {
        const [topic, text] = given as [string, string | null];
        made?.(topic, first ?? text ?? '');
        return context.undefined;
      }
      case 'timer':
        startTimer(given as [number, number, boolean]);
        return context.undefined;
      default:
        stopTimer(given as number);
        return context.undefined;
    }
  });

  const api = context
    .unwrapResult(context.evalCode(prelude, 'api.js'))
    .consume((install) =>
      context.unwrapResult(
        context.callFunction(
          install,
          context.undefined,
          host,
          context.newNumber(bounds.json),
          context.newString(state ?? ''),
          entry === 'message(device)' ? context.true : context.false,
        ),
      ),
    );
  const own = (name: string) => context.getProp(api, name);
  const [deliver, json, fire, words] = [own('deliver'), own('json'), own('fire'), own('tell')];
  const [stateOf, message] = [own('state'), own('message')];

  // From here on the script's code runs.
  runtime.setInterruptHandler(() => {
    const time = now();
    spent += Math.min(time - looked, mostBetween);
    looked = time;
    slow ||= spent > bounds.call.own || time - begun > bounds.call.clock;
    return slow;
  });

  /** Disposes of nothing: an engine that is out of memory or stack can't do it reliably. */
  function stop(why: 'slow' | 'memory' | 'failed', text: string, place?: Place): void {
    ended = true;
    act({ kind: 'stopped', why, text, place });
  }

  /** Without memory for an error, null is thrown. */
  const isMemory = (text: string): boolean =>
    text === 'InternalError: out of memory' ||
    (text === 'thrown: null' && wasmMemory.buffer.byteLength > 0.9 * mostMemory);

  /** Reports an error of the script. */
  function failed(error: QuickJSHandle, fatal: boolean): void {
    const wasSlow = slow;
    begin();
    const told = context.callFunction(words, context.undefined, error);
    const [text = '', stack = '']: [string?, string?] = told.error
      ? []
      : told.value.consume((value) => JSON.parse(context.getString(value)));
    error.dispose();
    const place = placeIn(stack, lines);
    if (wasSlow) stop('slow', '', place);
    else if (told.error || isMemory(text)) stop('memory', '', place);
    else if (fatal) stop('failed', text.slice(0, bounds.line), place);
    else if (hasRoom('lines')) act({ kind: 'error', text: text.slice(0, bounds.line), place });
  }

  /** The value, after pending promise jobs have run. Undefined if it failed, which is reported. */
  function run(call: () => VmCallResult<QuickJSHandle>, fatal = false): QuickJSHandle | undefined {
    called = true;
    begin();
    try {
      const result = call();
      if (result.error) {
        failed(result.error, fatal);
        return undefined;
      }
      const jobs = runtime.executePendingJobs(bounds.jobs);
      if (jobs.error) failed(jobs.error, fatal);
      else if (slow || runtime.hasPendingJob()) stop('slow', '');
      return ended ? undefined : result.value;
    } catch {
      // The engine ran out of the browser's own stack, and is unusable.
      stop('memory', '');
      return undefined;
    }
  }

  function settled(value: QuickJSHandle): QuickJSHandle | undefined {
    const state = context.getPromiseState(value);
    if (state.type === 'fulfilled') return state.value;
    value.dispose();
    if (state.type === 'rejected') failed(state.error, false);
    else if (hasRoom('lines'))
      act({ kind: 'error', text: 'the promise that onMessage returned has not settled', place: undefined });
    return undefined;
  }

  function jsonOf(value: QuickJSHandle | undefined): string | undefined {
    const final = value && settled(value);
    if (!final || context.typeof(final) === 'undefined') return undefined;
    const text = run(() => context.callFunction(json, context.undefined, final));
    if (ended) return undefined;
    final.dispose();
    return text?.consume((handle) =>
      context.typeof(handle) === 'string' ? context.getString(handle) : undefined,
    );
  }

  // Declared as a function or as a constant.
  const [name] = entry.split('(');
  const asked = `${code.replaceAll('\0', ' ')}\n;typeof ${name} === 'function' ? ${name} : undefined`;
  const main = run(() => context.evalCode(asked, file, { type: 'global' }), true);
  if (main && context.typeof(main) !== 'function' && waiting.size === 0) {
    stop('failed', `the script has no function ${entry}`);
  }

  const bufferOf = (bytes: Uint8Array) => context.newArrayBuffer(bytes.slice().buffer as ArrayBuffer);

  return {
    /** What `onMessage` returned, as JSON. */
    deliver({ payload, correlationData, ...head }: Delivered) {
      if (ended || !main || context.typeof(main) !== 'function') return undefined;
      return jsonOf(
        run(() => {
          const given = [
            main,
            context.newString(JSON.stringify(head)),
            bufferOf(payload),
            ...(correlationData ? [bufferOf(correlationData)] : []),
          ];
          const result = context.callFunction(deliver, context.undefined, ...given);
          for (const handle of given.slice(1)) handle.dispose();
          return result;
        }),
      );
    },
    /** Calls `made`, unless the script fails. */
    message(asked: Asked) {
      if (ended || !main) return;
      run(() =>
        context
          .newString(JSON.stringify(asked))
          .consume((about) => context.callFunction(message, context.undefined, main, about)),
      )?.dispose();
    },
    fire(id: number) {
      if (ended || !waiting.delete(id)) return;
      const delay = repeated.get(id);
      if (delay !== undefined) {
        waiting.add(id);
        wake(id, delay);
      }
      run(() =>
        context.newNumber(id).consume((number) => context.callFunction(fire, context.undefined, number)),
      )?.dispose();
    },
    /** Reports what was left out. To be called now and then. */
    tell,
    /** As JSON; empty if it can't be kept, which is reported once. Undefined if no call was made since. */
    state() {
      if (ended || !called || !lasts) return undefined;
      called = false;
      begin();
      try {
        const result = context.callFunction(stateOf, context.undefined);
        const value = result.error ?? result.value;
        lasts = !result.error && context.typeof(value) === 'string';
        const json = lasts ? context.getString(value) : '';
        value.dispose();
        if (!lasts && hasRoom('lines')) {
          const text = `a reload of the page empties state: it is larger than ${bounds.json / 1024} KiB, or holds what JSON can’t`;
          act({ kind: 'log', text });
        }
        return json;
      } catch {
        stop('memory', '');
        return '';
      }
    },
    /** It was stopped, and does nothing more. */
    get ended() {
      return ended;
    },
  };
}
