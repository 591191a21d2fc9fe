/**
 * Large payloads that Go leaves in the frame in which they arrived: Go gets a handle for each, and
 * the page gets the frame itself. A frame is held while Go reads it or a payload in it is kept; if
 * little of it is still needed, that is copied.
 */

export interface Frame {
  buffer: ArrayBuffer;
  payloads: Set<Kept>;
  /** Go has not read all of it. */
  reading: boolean;
}

interface Kept {
  frame: Frame;
  start: number;
  end: number;
}

const kept = new Map<number, Kept>();
let last = 0;

export const frameOf = (buffer: ArrayBuffer): Frame => ({ buffer, payloads: new Set(), reading: true });

/** Returns the payload's handle. */
export function keep(frame: Frame, start: number, end: number): number {
  const payload = { frame, start, end };
  frame.payloads.add(payload);
  last++;
  kept.set(last, payload);
  return last;
}

export function fetch(handle: number): Uint8Array {
  const { frame, start, end } = kept.get(handle) as Kept;
  return new Uint8Array(frame.buffer, start, end - start);
}

export function drop(handle: number): void {
  const frame = take(handle).frame;
  tidy(frame);
}

/**
 * The payloads of these handles, whose buffers may be transferred to a page. If a buffer holds
 * something else that is still needed, the payload is copied.
 */
export function claim(handles: number[]): Uint8Array<ArrayBuffer>[] {
  const claimed = handles.map(take);
  const views = claimed.map(({ frame, start, end }) => {
    const shared = frame.reading || frame.payloads.size > 0;
    return shared
      ? new Uint8Array(frame.buffer.slice(start, end))
      : new Uint8Array(frame.buffer, start, end - start);
  });
  for (const { frame } of claimed) tidy(frame);
  return views;
}

/** Go has read all of it. */
export function read(frame: Frame): void {
  frame.reading = false;
  tidy(frame);
}

function take(handle: number): Kept {
  const payload = kept.get(handle) as Kept;
  kept.delete(handle);
  payload.frame.payloads.delete(payload);
  return payload;
}

function tidy(frame: Frame): void {
  if (frame.reading) return;
  let wanted = 0;
  for (const { start, end } of frame.payloads) wanted += end - start;
  if (wanted * 2 >= frame.buffer.byteLength) return;
  for (const payload of frame.payloads) {
    const { start, end } = payload;
    const own = frameOf(frame.buffer.slice(start, end));
    own.reading = false;
    own.payloads.add(payload);
    Object.assign(payload, { frame: own, start: 0, end: end - start });
  }
  frame.payloads.clear();
}

/** The number of kept payloads, for tests. */
export const keptPayloads = (): number => kept.size;
