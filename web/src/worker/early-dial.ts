/** WebSockets that are opened while the program loads, so that they are ready when it dials. */

import type { ToWorker } from '../protocol/messages';
import { type Dial, dialWith, listen } from './websocket';

/** Milliseconds until an unused WebSocket is closed. Brokers do not wait long for CONNECT. */
export const patience = 5000;

const subprotocol = 'mqtt';
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
  const dialAnew = dialWith(Native);

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
    const deafen = listen(native, (event) => void missed.push(event));
    const timer = setTimeout(() => drop(id), patience);
    const early: Early = {
      ...{ id, url, native, missed },
      release() {
        all.delete(early);
        clearTimeout(timer);
        deafen();
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
   * Takes the place of `new Native`. Of a WebSocket that was opened before, `hear` gets the events
   * so far in a microtask; dispatched once more, WebKit at times refuses them.
   */
  const dial: Dial = (url, protocols, hear) => {
    for (const early of all) {
      if (String(url) !== early.url || String(protocols) !== subprotocol) continue;
      early.release();
      const { native, missed } = early;
      // One that could not be opened fails this dial. One that was open and has closed since is
      // skipped.
      if (missed[0]?.type === 'open' && native.readyState > OPEN) continue;
      listen(native, hear);
      void Promise.resolve().then(() => missed.forEach(hear));
      return native;
    }
    return dialAnew(url, protocols, hear);
  };

  return { begin, drop, dial };
}
