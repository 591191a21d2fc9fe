/** WebSockets that are opened while the program loads, so that they are there when it dials. */

import type { ToWorker } from '../protocol/messages';

/** Milliseconds until a WebSocket that was not taken is closed. No broker waits for a CONNECT for long. */
export const patience = 5000;

const subprotocol = 'mqtt';
const events = ['open', 'message', 'error', 'close'] as const;
const OPEN = 1;

interface Early {
  /** The page's call, which may be given up. */
  id: number;
  url: string;
  native: WebSocket;
  /** What happened, for whoever takes it. */
  missed: Event[];
  /** It is taken or given up: it is neither listened to nor waited for. */
  release(): void;
}

export function createEarlyDials(Native: typeof WebSocket) {
  const all = new Set<Early>();

  /** Nothing is sent. A client that asks the page before it dials is not dialled for. */
  function begin({ id, options: { url, servers }, asks }: Extract<ToWorker, { type: 'connect' }>): void {
    if (servers || asks.length > 0) return;
    let native: WebSocket;
    try {
      native = new Native(url, subprotocol);
    } catch {
      return; // the program is told the same when it dials
    }
    native.binaryType = 'arraybuffer';
    const missed: Event[] = [];
    const record = (event: Event): void => void missed.push(event);
    for (const type of events) native.addEventListener(type, record);
    const timer = setTimeout(() => drop(id), patience);
    const early: Early = {
      ...{ id, url, native, missed },
      release() {
        all.delete(early);
        clearTimeout(timer);
        for (const type of events) native.removeEventListener(type, record);
      },
    };
    all.add(early);
  }

  /** The page has given up its call, or the time is up. */
  function drop(id: number): void {
    for (const early of all) {
      if (early.id !== id) continue;
      early.release();
      early.native.close();
    }
  }

  /** Stands for `new Native`. What a WebSocket of before has missed it repeats, in a microtask of its own. */
  function dial(url: string | URL, protocols?: string | string[]): WebSocket {
    for (const early of all) {
      if (String(url) !== early.url || String(protocols) !== subprotocol) continue;
      early.release();
      const { native, missed } = early;
      // One that could not be opened is the answer to this dial. One that was open is lost time.
      if (missed[0]?.type === 'open' && native.readyState > OPEN) continue;
      void Promise.resolve().then(() => {
        for (const event of missed) native.dispatchEvent(event);
      });
      return native;
    }
    return new Native(url, protocols);
  }

  return { begin, drop, dial };
}
