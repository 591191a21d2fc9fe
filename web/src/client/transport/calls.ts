import { type Deferred, deferred } from '../../platform/deferred';
import type {
  Boundary,
  BoundaryClient,
  BoundarySink,
  ClientEvent,
  PublishAck,
  PublishCall,
  WireError,
} from '../../protocol/boundary';
import {
  type FromWorker,
  type Method,
  optionsAt,
  type Question,
  type ToWorker,
} from '../../protocol/messages';
import { defaultTimeout } from '../checks/calls';
import { aborted, fromWire, MqttError, toWire } from '../errors';
import { createDeadlines } from './deadlines';
import { createPublishBatch, encodeProperties, isSmall, readAcks } from './publish-batch';

type Post = (message: ToWorker, transfer?: Transferable[]) => void;
type Value = Extract<FromWorker, { type: 'result' }>['value'];
type Answer = Extract<ToWorker, { type: 'answer' }>;
/** A message before it has its number and limits. */
type Unnumbered<T> = T extends { abortable?: boolean } ? Omit<T, 'id' | 'timeout' | 'abortable'> : never;

interface Limits {
  timeout?: number | undefined;
  signal?: AbortSignal | undefined;
}

interface Pending extends Omit<Deferred<Value>, 'promise'> {
  /** Ends its time limit. */
  done(): void;
}

/** Milliseconds after a call's time limit in which the worker may still report the outcome. */
const grace = 500;

/** A Go program that may still be loading. Calls wait until it runs. */
export interface Engine {
  boundary: Boundary;
  /** Resolves when the program runs, and rejects when it can't be started. */
  ready: Promise<void>;
  /** Postpones the end of a program without clients, since the next one is about to come. */
  rest?(): unknown;
  /** Other pages use it, too, and it goes on for them. */
  shared?: boolean;
  /** Finds out whether it still runs, since it did not answer in time. If not, its clients end. */
  doubt?(): void;
  /** Resolves when it is known. Undefined if there is no doubt. */
  doubted?(): Promise<void> | undefined;
}

/**
 * The Go boundary as seen from the other end of a message channel. `onEnd` is called when a client has
 * ended, `onLate` when a call got no answer in time.
 */
export function createCalls(deliver: Post, onFailed?: () => void, onEnd?: () => void, onLate?: () => void) {
  const pending = new Map<number, Pending>();
  const deadlines = createDeadlines(grace);
  const sinks = new Map<number, BoundarySink>();
  let lastId = 0;
  let lastClient = 0;
  let failure: WireError | undefined;
  const { promise: ready, resolve: run, reject: refuse } = deferred();
  ready.catch(() => {}); // not unhandled: calls reject, too

  const gather = createPublishBatch(({ first, ...batch }) => {
    deliver({ type: 'publishes', id: first, ...batch }, [batch.records.buffer]);
  });

  /** Nothing overtakes what was published before. */
  const post: Post = (message, transfer) => {
    gather.flush();
    deliver(message, transfer);
  };

  /** What the worker answers, or `timeout` if the page's clock runs out before. */
  function answer(id: number, call: string, timeout = 0): Promise<Value> {
    return new Promise((resolve, reject) => {
      const done = deadlines.watch(timeout, () => {
        settle(id)?.reject(new MqttError('timeout', `${call}: no answer in time, and none from the worker`));
        onLate?.();
      });
      pending.set(id, { resolve, reject, done });
    });
  }

  function publishTogether(
    client: number,
    topic: string,
    payload: Uint8Array | string,
    options: PublishCall,
    properties: Uint8Array | undefined,
    timeout = defaultTimeout,
  ): Promise<PublishAck> {
    if (failure) return Promise.reject(fromWire(failure));
    lastId++;
    gather.add(lastId, client, topic, payload, options, properties, timeout);
    return answer(lastId, 'publish', timeout) as Promise<PublishAck>;
  }

  function call(
    message: Unnumbered<ToWorker>,
    { timeout, signal }: Limits = {},
    transfer?: Transferable[],
  ): Promise<Value> {
    if (failure) return Promise.reject(fromWire(failure));
    if (signal?.aborted) return Promise.reject(aborted(signal));
    lastId++;
    const id = lastId;
    post({ ...message, id, timeout, abortable: !!signal } as ToWorker, transfer);
    const answered = answer(id, message.type === 'call' ? message.method : message.type, timeout);
    if (signal) {
      const abort = (): void => {
        post({ type: 'abort', id });
        settle(id)?.reject(aborted(signal));
        if (message.type === 'connect') pending.set(id, abandoned(message.client));
      };
      const stop = (): void => signal.removeEventListener('abort', abort);
      signal.addEventListener('abort', abort);
      answered.then(stop, stop);
    }
    return answered;
  }

  /** A connect that the page gave up. It may still succeed, and then its client is ended. */
  function abandoned(client: number): Pending {
    return {
      resolve() {
        call({ type: 'call', client, method: 'disconnect', args: [{ force: true }] }).catch(() => {
          // It has ended already.
        });
      },
      reject: () => onEnd?.(),
      done() {},
    };
  }

  function settle(id: number): Pending | undefined {
    const found = pending.get(id);
    pending.delete(id);
    found?.done();
    return found;
  }

  function clientOf(client: number): BoundaryClient {
    const methods = Object.entries<number>(optionsAt).map(([name, at]) => {
      const method = name as Method;
      return [
        name,
        (...given: unknown[]) => {
          const { timeout, signal, ...options } = (given[at] ?? {}) as PublishCall & Limits;
          const [topic, content] = given as [string, Uint8Array | string];
          if (method === 'publish') {
            const properties = options.properties && encodeProperties(options.properties);
            if (!signal && isSmall(content, properties)) {
              return publishTogether(client, topic, content, options, properties, timeout);
            }
            if (typeof content === 'string') given[1] = new TextEncoder().encode(content);
          }
          const args = given.toSpliced(at, 1, options);
          const transfer = given[1] instanceof Uint8Array ? [given[1].buffer as ArrayBuffer] : [];
          return call({ type: 'call', client, method, args }, { timeout, signal }, transfer);
        },
      ];
    });
    return Object.fromEntries(methods);
  }

  const boundary: Boundary = {
    async connect({
      onBatch,
      onEvent,
      onPackets,
      onAttempt,
      onAuthenticate,
      WebSocket: _,
      openStore: __,
      timeout,
      signal,
      ...options
    }) {
      const asks: Question['kind'][] = [];
      if (onAttempt) asks.push('attempt');
      if (onAuthenticate) asks.push('authenticate');
      lastClient++;
      const client = lastClient;
      sinks.set(client, { onBatch, onEvent, onPackets, onAttempt, onAuthenticate } as BoundarySink);
      try {
        await call({ type: 'connect', client, options, asks }, { timeout, signal });
      } catch (error) {
        sinks.delete(client);
        onEnd?.();
        throw error;
      }
      return clientOf(client);
    },
  };

  function onEvent(client: number, event: ClientEvent): void {
    const sink = sinks.get(client);
    const ended = event.type === 'end';
    if (ended) sinks.delete(client);
    sink?.onEvent(event);
    if (ended) onEnd?.();
  }

  async function onBatch({
    client,
    buffer,
    count,
    dropped,
    payloads,
  }: Extract<FromWorker, { type: 'batch' }>) {
    await sinks.get(client)?.onBatch(buffer, count, dropped, payloads);
    if (!failure) post({ type: 'consumed', client });
  }

  async function onAsk(id: number, client: number, question: Question): Promise<void> {
    const answer: Answer = { type: 'answer', id };
    try {
      const sink = sinks.get(client);
      const value = await (question.kind === 'attempt'
        ? sink?.onAttempt?.(question.info)
        : sink?.onAuthenticate?.(question.step));
      if (value !== undefined) answer.value = value;
    } catch (error) {
      answer.error = error instanceof MqttError ? toWire(error) : { code: 'aborted', message: String(error) };
    }
    if (!failure) post(answer);
  }

  /** Rejects every call, now and later, and ends every client. */
  function fail(error: WireError): void {
    if (failure) return;
    failure = error;
    gather.drop();
    refuse(fromWire(error));
    for (const id of [...pending.keys()]) settle(id)?.reject(fromWire(error));
    for (const client of [...sinks.keys()]) onEvent(client, { type: 'end', error });
    onFailed?.();
  }

  function receive(message: FromWorker): void {
    switch (message.type) {
      case 'ready':
        run();
        break;
      case 'fatal':
        fail(message.error);
        break;
      case 'result':
        settle(message.id)?.resolve(message.value);
        break;
      case 'rejected':
        settle(message.id)?.reject(fromWire(message.error));
        break;
      case 'published':
        readAcks(message.acks, (id, reasonCode) => settle(id)?.resolve({ reasonCode }));
        for (const { id, ack, error } of message.others) {
          if (error) settle(id)?.reject(fromWire(error));
          else settle(id)?.resolve(ack);
        }
        break;
      case 'event':
        onEvent(message.client, message.event);
        break;
      case 'batch':
        void onBatch(message);
        break;
      case 'packets':
        sinks.get(message.client)?.onPackets?.(message.buffer, message.dropped);
        break;
      case 'ask':
        void onAsk(message.id, message.client, message.question);
    }
  }

  /** Whether there are no clients and no pending calls. */
  const idle = (): boolean => sinks.size === 0 && pending.size === 0;

  return { boundary, ready, receive, fail, idle };
}
