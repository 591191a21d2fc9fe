import { nextTask } from '../platform/next-task';
import { drop, type Frame, fetch, frameOf, keep, read } from './kept-payloads';

/** Bytes handed over in one task, so that a flood cannot keep timers (pings) from running; more only as one frame. */
export const flushLimit = 256 << 10;

/** Milliseconds that a close waits for the peer's answer. */
export const closeTimeout = 1000;

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/** What Go, and its tests, see of the class below. */
export interface GoSocket
  extends EventTarget,
    Pick<WebSocket, 'url' | 'protocol' | 'bufferedAmount' | 'send' | 'close'> {
  readonly readyState: number;
  /**
   * Moves received bytes to the beginning of `target`, at most `limit` of them,
   * and returns how many. Fewer mean that there are no more for now.
   */
  readInto(target: Uint8Array, limit: number): number;
  /**
   * Skips the next `rest` bytes, which end with a payload of `length` bytes, and returns the handle
   * under which that is kept (`kept-payloads.ts`): 0 if it is not whole in one frame, and nothing
   * was skipped.
   */
  keep(rest: number, length: number): number;
  fetch(handle: number): Uint8Array;
  drop(handle: number): void;
  /** Sends the first `length` bytes, which may change afterwards. */
  sendFrom(source: Uint8Array<ArrayBuffer>, length: number): void;
}

export interface SocketClassOptions {
  /** Native copies its argument before `send` returns, as browsers do, but not every other class. */
  copies?: boolean;
  /** Large payloads stay in their frames. */
  keeps?: boolean;
  schedule?: typeof nextTask;
  dial?: Dial;
}

/** Makes a Native, or returns one that was made before; `hear` gets all its events, later. */
export type Dial = (
  url: string | URL,
  protocols: string | string[],
  hear: (event: Event) => void,
) => WebSocket;

export function dialWith(Native: typeof WebSocket): Dial {
  return (url, protocols, hear) => {
    const native = new Native(url, protocols);
    listen(native, hear);
    return native;
  };
}

/** Gives a WebSocket's events to `hear`. Returns what ends that. */
export function listen(native: WebSocket, hear: (event: Event) => void): () => void {
  const types = ['open', 'message', 'error', 'close'];
  for (const type of types) native.addEventListener(type, hear);
  return () => {
    for (const type of types) native.removeEventListener(type, hear);
  };
}

type GoSocketClass = new (url: string | URL, protocols?: string | string[]) => GoSocket;

/**
 * The WebSocket that the Go program dials with, over the platform's own.
 *
 * nhooyr.io/websocket drives it (`ws_js.go`, v1.8.17) and relies on more than
 * the platform keeps, so this class differs from a plain WebSocket:
 *
 * - A `message` event is an empty frame, and says that `readInto` has bytes:
 *   Go reads them to where it wants them. Frames that arrive close together
 *   are one event: one wake-up of Go instead of many. Legal because MQTT
 *   Control Packets may span frames [MQTT-6.0.0-2].
 * - A text frame is a `message` event with its text, for Go to refuse
 *   [MQTT-6.0.0-1]; nothing comes after it.
 * - `close` comes in a task after the last `message`: Go picks at random
 *   between a frame and a close that are both ready.
 * - `close()` never throws. Codes that only a browser may send are moved to
 *   the private range, too long reasons are cut.
 * - `close()` takes at most `closeTimeout`; then the socket is closed for Go
 *   whatever the peer does. Closed while connecting, it never opens.
 * - An `error` is a `close`, too, where none follows. Go hears of that alone.
 *
 * The platform cannot be told to receive less, so what Go has not read yet waits here without a
 * limit of its own; MQTT's Receive Maximum and the broker bound it.
 */
export function createSocketClass(
  Native: typeof WebSocket,
  { copies = false, keeps = false, schedule = nextTask, dial = dialWith(Native) }: SocketClassOptions = {},
): GoSocketClass {
  return class Socket extends EventTarget {
    static readonly CONNECTING = CONNECTING;
    static readonly OPEN = OPEN;
    static readonly CLOSING = CLOSING;
    static readonly CLOSED = CLOSED;

    readyState: number = CONNECTING;
    binaryType = 'arraybuffer';

    readonly #native: WebSocket;
    #givenUp = false;
    /** What arrived and was not announced to Go. */
    #inbox: (ArrayBuffer | string)[] = [];
    /** What was announced to Go. */
    #readable: Frame[] = [];
    /** Bytes read of the first of them. */
    #read = 0;
    #refused = false;
    readonly #readableEvent = messageEvent(new ArrayBuffer(0));
    #scheduled = false;
    #ended: { code: number; reason: string; wasClean: boolean } | undefined;
    #closeRequested = false;
    #timer: ReturnType<typeof setTimeout> | undefined;

    constructor(url: string | URL, protocols: string | string[] = []) {
      super();
      this.#native = dial(url, protocols, (event) => this.#hear(event));
      this.#native.binaryType = 'arraybuffer';
    }

    get url(): string {
      return this.#native.url;
    }

    get protocol(): string {
      return this.#native.protocol;
    }

    get bufferedAmount(): number {
      return this.#native.bufferedAmount;
    }

    send(data: string | BufferSource): void {
      // A closing WebSocket discards what it is given. The platform's may be closing already.
      if (this.readyState !== OPEN || this.#native.readyState !== OPEN) {
        throw new Error('WebSocket is not open');
      }
      this.#native.send(data);
    }

    sendFrom(source: Uint8Array<ArrayBuffer>, length: number): void {
      this.send(copies ? source.subarray(0, length) : source.slice(0, length));
    }

    readInto(target: Uint8Array, limit: number): number {
      let length = 0;
      let whole = 0;
      for (const frame of this.#readable) {
        const { buffer } = frame;
        const size = Math.min(buffer.byteLength - this.#read, limit - length);
        target.set(new Uint8Array(buffer, this.#read, size), length);
        length += size;
        this.#read += size;
        if (this.#read < buffer.byteLength) break;
        this.#read = 0;
        whole++;
        read(frame);
      }
      this.#readable.splice(0, whole);
      return length;
    }

    keep(rest: number, length: number): number {
      const [frame] = this.#readable;
      const end = this.#read + rest;
      if (!keeps || !frame || end > frame.buffer.byteLength || end < length) return 0;
      const handle = keep(frame, end - length, end);
      this.#read = end;
      if (end === frame.buffer.byteLength) {
        this.#read = 0;
        this.#readable.shift();
        read(frame);
      }
      return handle;
    }

    readonly fetch = fetch;
    readonly drop = drop;

    close(code = 1000, reason = ''): void {
      if (this.#closeRequested || this.readyState === CLOSED) return;
      this.#closeRequested = true;
      this.readyState = CLOSING;
      if (this.#ended) return;
      this.#timer = setTimeout(() => this.#giveUp(), closeTimeout);
      this.#native.close(legalCode(code), legalReason(reason));
    }

    #hear(event: Event): void {
      const { type } = event;
      if (this.#givenUp) {
        // A dial that was given up must not end as an open connection without an owner.
        if (type === 'open') this.#native.close();
      } else if (type === 'open') this.#onOpen();
      else if (type === 'message') this.#onMessage((event as MessageEvent).data);
      else if (type === 'error') this.#onError();
      else {
        const { code, reason, wasClean } = event as CloseEvent;
        this.#onEnd(code, reason, wasClean);
      }
    }

    #onOpen(): void {
      if (this.#closeRequested) {
        this.#native.close();
        return;
      }
      this.readyState = OPEN;
      this.dispatchEvent(new Event('open'));
    }

    #onMessage(data: ArrayBuffer | string): void {
      if (this.#refused || (typeof data !== 'string' && data.byteLength === 0)) return;
      this.#refused = typeof data === 'string';
      this.#inbox.push(data);
      this.#schedule();
    }

    #onError(): void {
      // No `close` follows where the browser forbids the address: in Chromium by the page's policy, in
      // WebKit by its port too, and there `readyState` changes only after this event.
      setTimeout(() => {
        if (!this.#ended && this.#native.readyState === CLOSED) this.#onEnd(1006, '', false);
      });
    }

    #onEnd(code: number, reason: string, wasClean: boolean): void {
      clearTimeout(this.#timer);
      this.#ended ??= { code, reason, wasClean };
      this.#schedule();
    }

    #giveUp(): void {
      this.#givenUp = true;
      this.#onEnd(1006, '', false);
    }

    #schedule(): void {
      if (this.#scheduled) return;
      this.#scheduled = true;
      schedule(() => {
        this.#scheduled = false;
        this.#step();
      });
    }

    /** One task: some frames, or the end when there are none left. */
    #step(): void {
      if (this.#inbox.length === 0) {
        this.#dispatchClose();
        return;
      }
      const frames = take(this.#inbox);
      if (this.#inbox.length > 0 || this.#ended) this.#schedule();
      if (typeof frames === 'string') {
        this.dispatchEvent(messageEvent(frames));
        return;
      }
      for (const frame of frames) this.#readable.push(frameOf(frame));
      this.dispatchEvent(this.#readableEvent);
    }

    #dispatchClose(): void {
      if (!this.#ended || this.readyState === CLOSED) return;
      this.readyState = CLOSED;
      this.dispatchEvent(Object.assign(new Event('close'), this.#ended));
    }
  };
}

/** Removes and returns the first text frame, or as many binary frames as one task may deliver. */
function take(inbox: (ArrayBuffer | string)[]): ArrayBuffer[] | string {
  if (typeof inbox[0] === 'string') return inbox.shift() as string;
  let count = 0;
  let size = 0;
  for (const frame of inbox) {
    if (typeof frame === 'string') break;
    size += frame.byteLength;
    if (count > 0 && size > flushLimit) break;
    count++;
  }
  return inbox.splice(0, count) as ArrayBuffer[];
}

function messageEvent(data: ArrayBuffer | string): Event {
  return Object.assign(new Event('message'), { data });
}

/** A page may send only 1000 and 3000-4999; 1008, say, becomes 4008. */
function legalCode(code: number): number {
  if (code === 1000 || (code >= 3000 && code <= 4999)) return code;
  return code > 1000 && code < 2000 ? code + 3000 : 1000;
}

/** A close frame has room for 123 bytes of reason (RFC 6455, 5.5). */
function legalReason(reason: string): string {
  return reason.slice(0, new TextEncoder().encodeInto(reason, new Uint8Array(123)).read);
}
