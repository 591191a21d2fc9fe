/** WebSockets that are opened while the program loads, so that they are ready when it dials. */

import type { ToWorker } from '../protocol/messages';

/** Milliseconds until an unused WebSocket is closed. Brokers do not wait long for CONNECT. */
export const patience = 5000;

const subprotocol = 'mqtt';
const events = ['open', 'message', 'error', 'close'] as const;
const OPEN = 1;

interface Early {
  /** The page's call, which may be aborted. */
  id: number;
  url: string;
  native: WebSocket;
  /** What happened before it is used. */
  missed: Event[];
  /** Removes the listeners and the timer, when it is used or given up. */
  release(): void;
}

export function createEarlyDials(Native: typeof WebSocket) {
  const all = new Set<Early>();

  /** Sends nothing. Does nothing for a client that asks the page before it dials. */
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

  /** The page has aborted its call, or the time is up. */
  function drop(id: number): void {
    for (const early of all) {
      if (early.id !== id) continue;
      early.release();
      early.native.close();
    }
  }

  /**
   * Takes the place of `new Native`. A WebSocket that was opened before repeats its events in a
   * microtask.
   */
  function dial(url: string | URL, protocols?: string | string[]): WebSocket {
    for (const early of all) {
      if (String(url) !== early.url || String(protocols) !== subprotocol) continue;
      early.release();
      const { native, missed } = early;
      // One that could not be opened fails this dial. One that was open and has closed since is
      // skipped.
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
