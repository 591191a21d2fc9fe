/** What crosses between the page and the worker that runs scripts. */

/** A message as a script gets it. */
export interface Delivered {
  topic: string;
  payload: Uint8Array;
  qos: 0 | 1 | 2;
  retain: boolean;
  /** Milliseconds since 1970. */
  receivedAt: number;
  /** Without correlation data, which is a field of its own. */
  properties: object;
  correlationData?: Uint8Array | undefined;
}

export interface Program {
  /** Never given twice. */
  id: number;
  code: string;
  /** PUBLISH packets in a second. */
  rate: number;
  /** JSON of what it had before the page was reloaded. */
  state?: string | undefined;
}

/** The device and the time of a message that is to be made. */
export interface Asked {
  /** From 1. */
  number: number;
  /** Its client ID. */
  id: string;
  /** Number of the message, from 1. */
  n: number;
  /** Milliseconds since 1970, by the device's clock. */
  now: number;
}

/** What a script wants published. The page's client validates it. */
export interface Publication {
  topic: string;
  payload: string | Uint8Array;
  options: { qos?: number; retain?: boolean; properties?: Record<string, unknown> };
  correlationData?: string | Uint8Array | undefined;
}

/** `unloaded`: the engine could not be loaded. */
export type Stop = 'slow' | 'memory' | 'failed' | 'unloaded';

/** Where in the script something happened, counting from 1. */
export interface Place {
  line: number;
  column: number;
}

/** What a script does besides returning a value. */
export type Act =
  | { kind: 'publish'; publication: Publication }
  | { kind: 'alert' | 'log'; text: string }
  | { kind: 'error'; text: string; place: Place | undefined }
  /** Left out since the last of these, over the limits of a second. */
  | { kind: 'limited'; publications: number; alerts: number; lines: number }
  /** It was stopped: it took too long or too much memory, or could not start. */
  | { kind: 'stopped'; why: Stop; text: string; place: Place | undefined };

export type ToWorker =
  | { kind: 'load'; program: Program }
  | { kind: 'unload'; id: number }
  /** `to`: the programs that get it. The first that returns a value decodes it. */
  | { kind: 'deliver'; messages: { number: number; message: Delivered; to: number[] }[] }
  | { kind: 'ping' };

export interface Result {
  number: number;
  /** The value as JSON, and the program that returned it. */
  json?: string | undefined;
  by?: number | undefined;
}

export type FromWorker =
  | { kind: 'loaded'; id: number }
  /** Which program runs now, if it has changed. */
  | { kind: 'running'; id: number }
  /** `number`: of the message that caused it. */
  | { kind: 'did'; id: number; act: Act; number: number | undefined }
  | { kind: 'done'; results: Result[] }
  /** As JSON, if it may have changed; empty if it can't be kept. */
  | { kind: 'state'; id: number; json: string }
  | { kind: 'pong' };
