/** What crosses between the page and its worker: plain data that structured clone can carry. */

import type {
  AttemptChange,
  AttemptInfo,
  AuthStep,
  BoundaryClient,
  BoundaryOptions,
  ClientEvent,
  JoinOptions,
  PublishAck,
  PublishOutcome,
  SubscribeAck,
  WireError,
} from './boundary';

/** A method of the Go client. */
export type Method = keyof BoundaryClient;

/** Which argument of a method is its options, and has the limits on the call. */
export const optionsAt: Record<Method, number> = {
  publish: 2,
  request: 2,
  subscribe: 1,
  unsubscribe: 1,
  tellPackets: 0,
  disconnect: 0,
  reauthenticate: 0,
  suspend: 0,
  resume: 0,
  wake: 0,
  ping: 0,
};

/**
 * What calls have in common. `client` and `id` are numbers the page chooses. The signal cannot
 * cross, so `abort` takes its place, if `abortable` announces it.
 */
interface Limited {
  id: number;
  client: number;
  timeout?: number;
  abortable?: boolean;
}

/** What the worker asks the page. */
export type Question = { kind: 'attempt'; info: AttemptInfo } | { kind: 'authenticate'; step: AuthStep };

/** Page → worker. */
export type ToWorker =
  /** `asks` are the questions that the page answers. */
  | ({ type: 'connect'; options: BoundaryOptions & JoinOptions; asks: Question['kind'][] } & Limited)
  /** The options among `args` are without the limits. */
  | ({ type: 'call'; method: Method; args: unknown[] } & Limited)
  /** Numbered from `id` on. */
  | { type: 'publishes'; id: number; count: number; client: number; records: Uint8Array }
  | { type: 'abort'; id: number }
  /** The answer to `ask`; `error` when there is none. */
  | { type: 'answer'; id: number; value?: AttemptChange | Uint8Array; error?: WireError }
  /** The page has handed out the client's last batch. */
  | { type: 'consumed'; client: number };

/** Asks whether the worker still runs. It says `hello` again, even while the program loads. */
type Probe = { type: 'probe' };

/** Page → dedicated worker. */
export type ToDedicatedWorker =
  | ToWorker
  | Probe
  /** Once: the Go program, if the page could compile it while the worker started. Calls may come before. */
  | { type: 'program'; module?: WebAssembly.Module | undefined };

/** Page → shared worker, about the page itself. */
export type ToSharedWorker =
  | ToWorker
  | Probe
  /** The name of a Web Lock that the page holds as long as it lives. */
  | { type: 'hello'; lock: string }
  /** The page is frozen or enters the back/forward cache, comes back from there, or is gone. */
  | { type: 'freeze' | 'thaw' | 'leave' };

/** Worker → page. */
export type FromWorker =
  /**
   * The first message: the worker has started, with its `protocolVersion`. A shared one names a Web
   * Lock that it holds as long as it lives.
   */
  | { type: 'hello'; version: number; lock?: string }
  /** The Go program runs. */
  | { type: 'ready' }
  /** The Go program ended or never started; nothing works from here on. */
  | { type: 'fatal'; error: WireError }
  | { type: 'result'; id: number; value: PublishAck | SubscribeAck | ArrayBuffer | number | undefined }
  | { type: 'rejected'; id: number; error: WireError }
  | { type: 'published'; acks: ArrayBuffer; others: PublishOutcome[] }
  | { type: 'event'; client: number; event: ClientEvent }
  | { type: 'packets'; client: number; buffer: ArrayBuffer; dropped: number }
  | { type: 'ask'; id: number; client: number; question: Question }
  | {
      type: 'batch';
      client: number;
      buffer: ArrayBuffer;
      count: number;
      dropped: number;
      payloads?: Uint8Array<ArrayBuffer>[];
    };
