/** Everything that arrived, as far as it is kept. */

import { signal } from '@preact/signals';
import type { Message } from '../../client';
import { createRing } from './ring';

export const maxMessages = 10_000;
export const maxBytes = 32 * 1024 * 1024;

/** Seconds over which the rate is taken. */
const span = 3;

/** What the list shows; a new one with each frame that has news. */
export interface View {
  /** Numbers of the oldest message kept, and of the next one to come. */
  first: number;
  end: number;
  bytes: number;
  received: number;
  /** By the client, because this page was too slow. */
  dropped: number;
  /** Received, shown, and gone again to stay within the caps. */
  evicted: number;
}

export interface Dependencies {
  /** Runs `call` soon, at most once a frame. */
  frame(call: () => void): void;
  /** Calls back once, a second later. */
  second(call: () => void): void;
}

export type Feed = ReturnType<typeof createFeed>;

export function createFeed(deps: Dependencies, caps = { messages: maxMessages, bytes: maxBytes }) {
  const ring = createRing<Message>(caps.messages, caps.bytes);
  let received = 0;
  let dropped = 0;
  let cleared = 0;
  let framed = false;

  function look(): View {
    const { first, end, bytes } = ring;
    return { first, end, bytes, received, dropped, evicted: first - cleared };
  }

  const view = signal<View>(look());
  /** Messages a second. */
  const rate = signal(0);
  /** The message whose details are open: kept here, also when the feed has moved on. */
  const open = signal<{ number: number; message: Message } | undefined>(undefined);

  function show(): void {
    if (framed) return;
    framed = true;
    deps.frame(() => {
      framed = false;
      view.value = look();
    });
  }

  // Counts of the last seconds, the newest last; empty while nothing arrives.
  let counts: number[] = [];
  let counted = 0;

  function measure(): void {
    counts = [...counts, received - counted].slice(-span);
    counted = received;
    const sum = counts.reduce((total, count) => total + count, 0);
    rate.value = sum / counts.length;
    if (sum > 0) deps.second(measure);
    else counts = [];
  }

  /** `lost` messages were dropped on the way to this batch. */
  function push(messages: Message[], lost: number): void {
    if (counts.length === 0 && counted === received && messages.length > 0) deps.second(measure);
    for (const message of messages) ring.push(message);
    received += messages.length;
    dropped += lost;
    show();
  }

  /** Empties the list; what was counted stays counted. */
  function clear(): void {
    // What is cleared was not evicted, what was evicted before still was.
    cleared += ring.end - ring.first;
    ring.clear();
    view.value = look();
  }

  function select(number: number | undefined): void {
    const message = number === undefined ? undefined : ring.get(number);
    open.value = number === undefined || !message ? undefined : { number, message };
  }

  return { view, rate, open, push, clear, select, get: ring.get };
}
