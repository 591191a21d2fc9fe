import { deferred } from '../platform/deferred';
import type {
  AttemptChange,
  Boundary,
  BoundaryEnvironment,
  BoundarySink,
  CallOptions,
  GoClient,
  OnSettled,
  WireError,
} from '../protocol/boundary';
import { type FromWorker, optionsAt, type Question, type ToWorker } from '../protocol/messages';
import { openStores } from './store/store';

type Post = (message: FromWorker, transfer?: Transferable[]) => void;
type Call = Extract<ToWorker, { type: 'connect' | 'call' }>;
type Publishes = Extract<ToWorker, { type: 'publishes' }>;
type Result = Extract<FromWorker, { type: 'result' }>['value'];
type Answer = Extract<ToWorker, { type: 'answer' }>;

interface Entry {
  client?: GoClient;
  /** The name of its store. */
  store: string | undefined;
  /** Settles the promise for which Go waits before it hands over the next batch. */
  consumed?: () => void;
}

/** A question that the page has not answered yet. */
interface Asked {
  client: number;
  resolve(value: Answer['value']): void;
  reject(error: WireError): void;
}

export const clientEnded: WireError = { code: 'not-connected', message: 'the client has ended' };

/**
 * Carries messages to the Go boundary, and its results, events and batches to
 * `post`. Several clients share one boundary.
 */
export function dispatch(
  boundary: Boundary<GoClient>,
  post: Post,
  environment: BoundaryEnvironment = {},
): (message: ToWorker) => void {
  const clients = new Map<number, Entry>();
  const abortable = new Map<number, AbortController>();
  const questions = new Map<number, Asked>();
  let lastQuestion = 0;

  const release = (client: number): void => {
    clients.get(client)?.consumed?.();
    clients.delete(client);
    for (const [id, asked] of questions) {
      if (asked.client !== client) continue;
      questions.delete(id);
      asked.reject(clientEnded);
    }
  };

  const ask = (client: number, question: Question): Promise<Answer['value']> =>
    new Promise((resolve, reject) => {
      if (!clients.has(client)) return reject(clientEnded);
      lastQuestion++;
      questions.set(lastQuestion, { client, resolve, reject });
      post({ type: 'ask', id: lastQuestion, client, question });
    });

  const answered = ({ id, value, error }: Answer): void => {
    const asked = questions.get(id);
    questions.delete(id);
    if (error) asked?.reject(error);
    else asked?.resolve(value);
  };

  /** The functions for Go, only for questions that the page answers. */
  const askers = (
    client: number,
    asks: Question['kind'][],
  ): Pick<BoundarySink, 'onAttempt' | 'onAuthenticate'> => ({
    ...(asks.includes('attempt') && {
      onAttempt: async (info) => (await ask(client, { kind: 'attempt', info })) as AttemptChange | undefined,
    }),
    ...(asks.includes('authenticate') && {
      onAuthenticate: async (step) =>
        (await ask(client, { kind: 'authenticate', step })) as Uint8Array | undefined,
    }),
  });

  const connect = async (message: Extract<ToWorker, { type: 'connect' }>, limits: CallOptions) => {
    const { client } = message;
    const entry: Entry = { store: message.options.store };
    clients.set(client, entry);
    try {
      entry.client = await boundary.connect({
        ...message.options,
        ...environment,
        ...limits,
        ...askers(client, message.asks),
        onPackets: (buffer, dropped) => post({ type: 'packets', client, buffer, dropped }, [buffer]),
        onBatch: (buffer, count, dropped, payloads) => {
          const { promise: consumed, resolve } = deferred();
          entry.consumed = resolve;
          const buffers = new Set([buffer, ...(payloads?.map((payload) => payload.buffer) ?? [])]);
          post({ type: 'batch', client, buffer, count, dropped, ...(payloads && { payloads }) }, [
            ...buffers,
          ]);
          return consumed;
        },
        onEvent: (event) => {
          post({ type: 'event', client, event });
          if (event.type === 'end') release(client);
        },
      });
    } catch (error) {
      release(client);
      throw error;
    }
  };

  const perform = (message: Call, limits: CallOptions): Promise<Result> => {
    if (message.type === 'connect') return connect(message, limits).then(() => undefined);
    const { client, store: name } = clients.get(message.client) ?? {};
    if (!client) return Promise.reject(clientEnded);
    const { method, args } = message;
    const at = optionsAt[method];
    const limited = args.toSpliced(at, 1, { ...(args[at] as object | undefined), ...limits });
    const begin = () => (client[method] as (...args: unknown[]) => Promise<Result>)(...limited);
    const store = name !== undefined && openStores.get(name);
    if (store && method === 'suspend') store.pause();
    return store && method === 'resume' ? store.resume().then(begin) : begin();
  };

  const onSettled: OnSettled = (acks, others) => post({ type: 'published', acks, others }, [acks]);

  const publishAll = async ({ id, count, client, records }: Publishes): Promise<void> => {
    try {
      const link = clients.get(client)?.client;
      if (!link) throw clientEnded;
      await link.publishAll(records, id, onSettled);
    } catch (thrown) {
      const error = toWire(thrown);
      const others = Array.from({ length: count }, (_, n) => ({ id: id + n, error }));
      onSettled(new ArrayBuffer(0), others);
    }
  };

  const answer = async (message: Call): Promise<void> => {
    const { id } = message;
    const limits: CallOptions = {};
    if (message.timeout !== undefined) limits.timeout = message.timeout;
    if (message.abortable) {
      const controller = new AbortController();
      abortable.set(id, controller);
      limits.signal = controller.signal;
    }
    try {
      const value = await perform(message, limits);
      post({ type: 'result', id, value: value ?? undefined }, value instanceof ArrayBuffer ? [value] : []);
    } catch (error) {
      post({ type: 'rejected', id, error: toWire(error) });
    } finally {
      abortable.delete(id);
    }
  };

  return (message) => {
    switch (message.type) {
      case 'publishes':
        void publishAll(message);
        return;
      case 'abort':
        abortable.get(message.id)?.abort();
        return;
      case 'answer':
        answered(message);
        return;
      case 'consumed':
        clients.get(message.client)?.consumed?.();
        return;
      default:
        void answer(message);
    }
  };
}

/** Any thrown value, as data that structured clone can carry. */
export function toWire(error: unknown): WireError {
  const from: Partial<WireError> = typeof error === 'object' && error !== null ? error : {};
  const wire: WireError = {
    code: typeof from.code === 'string' ? from.code : 'crashed',
    message: typeof from.message === 'string' ? from.message : String(error),
  };
  if (from.field !== undefined) wire.field = from.field;
  if (from.reasonCode !== undefined) wire.reasonCode = from.reasonCode;
  if (from.reasonString !== undefined) wire.reasonString = from.reasonString;
  if (from.serverReference !== undefined) wire.serverReference = from.serverReference;
  if (from.closeCode !== undefined) wire.closeCode = from.closeCode;
  if (from.closeReason !== undefined) wire.closeReason = from.closeReason;
  return wire;
}
