import type {
  Boundary,
  BoundaryClient,
  BoundaryEnvironment,
  CallOptions,
  FromWorker,
  ToWorker,
  WireError,
} from './messages';

type Post = (message: FromWorker, transfer?: Transferable[]) => void;
type Call = Exclude<ToWorker, { type: 'abort' | 'consumed' }>;
type Result = Extract<FromWorker, { type: 'result' }>['value'];

interface Entry {
  client?: BoundaryClient;
  /** Settles what Go waits for before it hands over the next batch. */
  consumed?: () => void;
}

/**
 * Carries messages to the Go boundary, and its results, events and batches to
 * `post`. Several clients share one boundary.
 */
export function carry(
  boundary: Boundary,
  post: Post,
  environment: BoundaryEnvironment = {},
): (message: ToWorker) => void {
  const clients = new Map<number, Entry>();
  const abortable = new Map<number, AbortController>();

  const release = (client: number): void => {
    clients.get(client)?.consumed?.();
    clients.delete(client);
  };

  const connect = async (message: Extract<ToWorker, { type: 'connect' }>, limits: CallOptions) => {
    const { client } = message;
    const entry: Entry = {};
    clients.set(client, entry);
    try {
      entry.client = await boundary.connect({
        ...message.options,
        ...environment,
        ...limits,
        onBatch: (buffer, count, dropped) => {
          const consumed = new Promise<void>((resolve) => {
            entry.consumed = resolve;
          });
          post({ type: 'batch', client, buffer, count, dropped }, [buffer]);
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
    const client = clients.get(message.client)?.client;
    if (!client) return Promise.reject({ code: 'not-connected', message: 'the client has ended' });
    switch (message.type) {
      case 'publish':
        return client.publish(message.topic, message.payload, { ...message.options, ...limits });
      case 'subscribe':
        return client.subscribe(message.subscriptions, { ...message.options, ...limits });
      case 'unsubscribe':
        return client.unsubscribe(message.filters, { ...message.options, ...limits });
      case 'disconnect':
        return client.disconnect({ ...message.options, ...limits }).then(() => undefined);
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
      post({ type: 'result', id, value: await perform(message, limits) });
    } catch (error) {
      post({ type: 'rejected', id, error: toWire(error) });
    } finally {
      abortable.delete(id);
    }
  };

  return (message) => {
    switch (message.type) {
      case 'abort':
        abortable.get(message.id)?.abort();
        return;
      case 'consumed':
        clients.get(message.client)?.consumed?.();
        return;
      default:
        void answer(message);
    }
  };
}

/** Whatever was thrown, as data that structured clone can carry. */
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
