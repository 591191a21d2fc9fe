/** Asks the worker that finds text, and ends it if an expression takes too long. */

import { scriptUrl } from '../../client/transport/asset-urls';
import { TranslatedError, t } from '../core/i18n/i18n';
import type { Haystack, Pattern } from './find';
import workerUrl from './find.worker.ts?worker&url';

export interface Finder {
  /** Indexes of the messages that match. Rejects with `TooSlow`. */
  find(pattern: Pattern, haystack: Haystack): Promise<number[]>;
  /** The parts of each text: see `split`. Rejects with `TooSlow`. */
  split(pattern: Pattern, texts: string[]): Promise<string[][]>;
  /** Rejects pending requests. */
  drop(): void;
}

/** Milliseconds for an answer. A slice of messages takes a few. */
const patience = 2000;

/** An expression can backtrack for years, and only ending its worker stops it. */
export class TooSlow extends TranslatedError {
  override readonly name = 'TooSlow';

  constructor() {
    super(() => t('Stopped: this expression takes too long'));
  }
}

interface Waiting {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

export function createFinder(start: () => Worker = startWorker): Finder {
  const waiting = new Map<number, Waiting>();
  let worker: Worker | undefined;
  let loaded = false;
  let ids = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function end(error: Error): void {
    clearTimeout(timer);
    worker?.terminate();
    worker = undefined;
    const given = [...waiting.values()];
    waiting.clear();
    for (const { reject } of given) reject(error);
  }

  /** Starts to wait for the next answer. The worker sends a first message once it has loaded. */
  function wait(): void {
    clearTimeout(timer);
    if (waiting.size > 0) timer = setTimeout(() => end(new TooSlow()), patience);
  }

  function open(): Worker {
    const opened = start();
    opened.onmessage = ({ data }: MessageEvent<{ id: number; answer: unknown } | 'ready'>) => {
      loaded = true;
      if (data !== 'ready') {
        waiting.get(data.id)?.resolve(data.answer);
        waiting.delete(data.id);
      }
      wait();
    };
    opened.onerror = () => end(new TranslatedError(() => t('The search could not be loaded')));
    loaded = false;
    return opened;
  }

  function ask<T>(question: object, transfer: Transferable[] = []): Promise<T> {
    worker ??= open();
    const id = ids++;
    worker.postMessage({ id, ...question }, transfer);
    const answer = new Promise<T>((resolve, reject) => {
      waiting.set(id, { resolve: (answer) => resolve(answer as T), reject });
    });
    if (loaded && waiting.size === 1) wait();
    return answer;
  }

  return {
    find: (pattern, haystack) => ask({ pattern, haystack }, [haystack.bytes.buffer]),
    split: (pattern, texts) => ask({ pattern, texts }),
    drop() {
      if (waiting.size > 0) end(new Error('dropped'));
    },
  };
}

function startWorker(): Worker {
  return new Worker(scriptUrl(workerUrl), { type: 'module' });
}
