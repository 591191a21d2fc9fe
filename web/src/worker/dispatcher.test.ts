import { expect, test } from 'vitest';
import type {
  Boundary,
  BoundaryEnvironment,
  BoundarySink,
  CallOptions,
  GoClient,
  OnSettled,
} from '../protocol/boundary';
import type { FromWorker, Question } from '../protocol/messages';
import { dispatch, toWire } from './dispatcher';
import { openStores, type Store } from './store/store';

const options = { url: 'ws://broker.test/mqtt' };

const environment: BoundaryEnvironment = {
  WebSocket: 'the class',
  openStore: () => Promise.reject(new Error('not expected')),
};

/** A dispatcher over a Go boundary with the test's methods, and the messages it posts. */
function dispatcher({ connect, ...methods }: Partial<GoClient> & Partial<Boundary> = {}) {
  const posted: FromWorker[] = [];
  const transferred: Transferable[][] = [];
  let news = (): void => {};
  let sink: BoundarySink | undefined;
  let given: Parameters<Boundary['connect']>[0] | undefined;
  const missing = (): never => {
    throw new Error('not expected');
  };
  const boundary: Boundary<GoClient> = {
    connect: async (all) => {
      given = all;
      sink = all;
      await connect?.(all);
      return {
        publish: missing,
        publishAll: missing,
        subscribe: missing,
        unsubscribe: missing,
        request: missing,
        reauthenticate: missing,
        suspend: missing,
        resume: missing,
        wake: missing,
        ping: missing,
        tellPackets: missing,
        disconnect: missing,
        ...methods,
      };
    },
  };
  const send = dispatch(
    boundary,
    (message, transfer = []) => {
      posted.push(message);
      transferred.push(transfer);
      news();
    },
    environment,
  );
  /** The next message of this type, posted already or later. */
  async function posting<T extends FromWorker['type']>(type: T): Promise<Extract<FromWorker, { type: T }>> {
    for (;;) {
      const found = posted.findIndex((message) => message.type === type);
      if (found >= 0) return posted.splice(found, 1)[0] as Extract<FromWorker, { type: T }>;
      await new Promise<void>((resolve) => {
        news = resolve;
      });
    }
  }
  async function connected(client: number, asks: Question['kind'][] = []) {
    send({ type: 'connect', id: 0, client, options, asks });
    await posting('result');
    return sink as BoundarySink;
  }
  return { send, posting, posted, transferred, connected, given: () => given };
}

test('connect passes on the options, the environment and the timeout', async () => {
  const { send, posting, given } = dispatcher();
  send({ type: 'connect', id: 7, client: 1, options: { ...options, clientId: 'me' }, asks: [], timeout: 5 });
  expect(await posting('result')).toEqual({ type: 'result', id: 7, value: undefined });
  expect(given()).toMatchObject({ ...options, ...environment, clientId: 'me', timeout: 5 });
});

test('a suspended client lets its store go at once, and has it again before it resumes', async () => {
  const order: string[] = [];
  const note = (what: string) => async () => void order.push(what);
  openStores.set('s', { pause: note('pause'), resume: note('resume') } as unknown as Store);
  const { send, posting } = dispatcher({ suspend: note('suspended'), resume: note('resumed') });
  send({ type: 'connect', id: 0, client: 1, options: { ...options, store: 's' }, asks: [] });
  await posting('result');
  send({ type: 'call', method: 'suspend', id: 1, client: 1, args: [] });
  expect(order[0]).toBe('pause');
  await posting('result');
  send({ type: 'call', method: 'resume', id: 2, client: 1, args: [] });
  await posting('result');
  expect(order).toEqual(['pause', 'suspended', 'resume', 'resumed']);
});

test('calls reach the client that they name, and results come back by id', async () => {
  const calls: unknown[] = [];
  const { send, posting, connected } = dispatcher({
    publish: async (...all) => {
      calls.push(['publish', ...all]);
      return { reasonCode: 16 };
    },
    subscribe: async (...all) => {
      calls.push(['subscribe', ...all]);
      return { reasonCodes: [1] };
    },
    unsubscribe: async (...all) => {
      calls.push(['unsubscribe', ...all]);
      return { reasonCodes: [17] };
    },
    disconnect: async (...all) => {
      calls.push(['disconnect', ...all]);
    },
  });
  await connected(1);
  const payload = new Uint8Array([1]);
  const subscriptions = [{ topic: 'a/#', qos: 1 as const }];
  send({ type: 'call', method: 'publish', id: 1, client: 1, args: ['a', payload, { qos: 1 }], timeout: 10 });
  expect(await posting('result')).toEqual({ type: 'result', id: 1, value: { reasonCode: 16 } });
  send({ type: 'call', method: 'subscribe', id: 2, client: 1, args: [subscriptions, {}] });
  expect(await posting('result')).toEqual({ type: 'result', id: 2, value: { reasonCodes: [1] } });
  send({ type: 'call', method: 'unsubscribe', id: 3, client: 1, args: [['a/#'], {}] });
  expect(await posting('result')).toEqual({ type: 'result', id: 3, value: { reasonCodes: [17] } });
  send({ type: 'call', method: 'disconnect', id: 4, client: 1, args: [{ reasonCode: 4 }] });
  expect(await posting('result')).toEqual({ type: 'result', id: 4, value: undefined });
  expect(calls).toEqual([
    ['publish', 'a', payload, { qos: 1, timeout: 10 }],
    ['subscribe', subscriptions, {}],
    ['unsubscribe', ['a/#'], {}],
    ['disconnect', { reasonCode: 4 }],
  ]);
});

test('publishes reach the client together, and so do their results', async () => {
  const calls: unknown[] = [];
  let onSettled: OnSettled = () => {};
  const { send, posting, transferred, connected } = dispatcher({
    publishAll: (records, first, settle) => {
      calls.push([records, first]);
      onSettled = settle;
      return undefined;
    },
  });
  await connected(1);
  const records = new Uint8Array([1, 2]);
  send({ type: 'publishes', id: 5, count: 2, client: 1, records });
  expect(calls).toEqual([[records, 5]]);
  const acks = new ArrayBuffer(9);
  const others = [{ id: 6, ack: { reasonCode: 0, reasonString: 'r' } }];
  onSettled(acks, others);
  expect(await posting('published')).toEqual({ type: 'published', acks, others });
  expect(transferred.at(-1)).toEqual([acks]);
  const before = onSettled;
  send({ type: 'publishes', id: 7, count: 1, client: 1, records });
  expect(onSettled).toBe(before);
});

test('each publish that Go refuses is rejected', async () => {
  const { send, posting, connected } = dispatcher({
    publishAll: () => Promise.reject({ code: 'not-connected', message: 'gone' }),
  });
  const publishes = { type: 'publishes', count: 2, records: new Uint8Array() } as const;
  send({ ...publishes, id: 1, client: 9 });
  const ended = { code: 'not-connected', message: 'the client has ended' };
  expect((await posting('published')).others).toEqual([
    { id: 1, error: ended },
    { id: 2, error: ended },
  ]);
  await connected(1);
  send({ ...publishes, id: 3, client: 1 });
  const gone = { code: 'not-connected', message: 'gone' };
  expect((await posting('published')).others).toEqual([
    { id: 3, error: gone },
    { id: 4, error: gone },
  ]);
});

test('rejections and thrown errors come back as plain data', async () => {
  const failure = Object.assign(new Error('no'), {
    code: 'refused',
    reasonCode: 156,
    reasonString: 'acl',
    serverReference: 'other',
  });
  const { send, posting, connected } = dispatcher({
    subscribe: () => Promise.reject(failure),
    unsubscribe: () => {
      throw new Error('Go program has already exited');
    },
  });
  await connected(1);
  send({ type: 'call', method: 'subscribe', id: 1, client: 1, args: [[], {}] });
  expect((await posting('rejected')).error).toEqual({
    code: 'refused',
    message: 'no',
    reasonCode: 156,
    reasonString: 'acl',
    serverReference: 'other',
  });
  send({ type: 'call', method: 'unsubscribe', id: 2, client: 1, args: [[], {}] });
  expect((await posting('rejected')).error).toEqual({
    code: 'crashed',
    message: 'Go program has already exited',
  });
});

test('a request resolves with bytes, which are transferred', async () => {
  const calls: unknown[] = [];
  const answer = new ArrayBuffer(4);
  const { send, posting, transferred, connected } = dispatcher({
    request: async (...all) => {
      calls.push(all);
      return answer;
    },
  });
  await connected(1);
  const payload = new Uint8Array([1]);
  send({ type: 'call', method: 'request', id: 1, client: 1, args: ['a', payload, { qos: 1 }], timeout: 10 });
  expect(await posting('result')).toEqual({ type: 'result', id: 1, value: answer });
  expect(transferred.at(-1)).toEqual([answer]);
  expect(calls).toEqual([['a', payload, { qos: 1, timeout: 10 }]]);
});

test.each(['reauthenticate', 'suspend', 'resume', 'wake'] as const)('%s takes only limits', async (type) => {
  const calls: unknown[] = [];
  const { send, posting, connected } = dispatcher({
    [type]: async (limits: CallOptions) => void calls.push(limits),
  });
  await connected(1);
  send({ type: 'call', method: type, id: 1, client: 1, args: [], timeout: 10 });
  expect(await posting('result')).toEqual({ type: 'result', id: 1, value: undefined });
  expect(calls).toEqual([{ timeout: 10 }]);
});

const info = { url: options.url, attempt: 1 };
const step = { phase: 'start', method: 'm' } as const;

test('Go may call only callbacks that the page has', async () => {
  const { connected } = dispatcher();
  const mute = await connected(1);
  expect([mute.onAttempt, mute.onAuthenticate]).toEqual([undefined, undefined]);
  const half = await connected(2, ['authenticate']);
  expect([half.onAttempt, half.onAuthenticate]).toEqual([undefined, expect.any(Function)]);
});

test('a callback is posted to the page, and its result comes back, in any order', async () => {
  const { send, posting, connected } = dispatcher();
  const sink = await connected(1, ['attempt', 'authenticate']);
  const change = sink.onAttempt?.(info);
  const data = sink.onAuthenticate?.(step);
  const first = await posting('ask');
  expect(first).toMatchObject({ client: 1, question: { kind: 'attempt', info } });
  const second = await posting('ask');
  expect(second).toMatchObject({ client: 1, question: { kind: 'authenticate', step } });
  send({ type: 'answer', id: second.id, value: new Uint8Array([1]) });
  send({ type: 'answer', id: first.id });
  expect(await data).toEqual(new Uint8Array([1]));
  expect(await change).toBeUndefined();
  send({ type: 'answer', id: first.id, value: { url: 'too late' } });
});

test('a callback that fails in the page is rejected with the reason', async () => {
  const { send, posting, connected } = dispatcher();
  const sink = await connected(1, ['attempt']);
  const change = sink.onAttempt?.(info);
  const error = { code: 'aborted', message: 'credentials: no', field: 'credentials' };
  send({ type: 'answer', id: (await posting('ask')).id, error });
  await expect(change).rejects.toEqual(error);
});

test('the end of a client settles its callbacks, old and new, and no others', async () => {
  const { send, posting, connected } = dispatcher();
  const [sink, other] = [await connected(1, ['attempt']), await connected(2, ['attempt'])];
  const [pending, others] = [sink.onAttempt?.(info), other.onAttempt?.(info)];
  sink.onEvent({ type: 'end' });
  await expect(pending).rejects.toMatchObject({ code: 'not-connected' });
  await expect(sink.onAttempt?.(info)).rejects.toMatchObject({ code: 'not-connected' });
  await posting('ask');
  send({ type: 'answer', id: (await posting('ask')).id, value: { url: 'ws://other.test/' } });
  expect(await others).toEqual({ url: 'ws://other.test/' });
});

test('a call to an unknown client is rejected', async () => {
  const { send, posting } = dispatcher();
  send({ type: 'call', method: 'disconnect', id: 1, client: 9, args: [{}] });
  expect(await posting('rejected')).toMatchObject({ id: 1, error: { code: 'not-connected' } });
});

test('a client whose connect failed is unknown', async () => {
  const { send, posting } = dispatcher({ connect: () => Promise.reject({ code: 'refused', message: 'no' }) });
  send({ type: 'connect', id: 1, client: 1, options, asks: [] });
  expect((await posting('rejected')).error.code).toBe('refused');
  send({ type: 'call', method: 'disconnect', id: 2, client: 1, args: [{}] });
  expect((await posting('rejected')).error.code).toBe('not-connected');
});

test('abort aborts the signal of its call, and only if there was one', async () => {
  const signals: (AbortSignal | undefined)[] = [];
  const { send, posting, connected } = dispatcher({
    publish: (_topic, _payload, limits?: CallOptions) =>
      new Promise((_, reject) => {
        signals.push(limits?.signal);
        limits?.signal?.addEventListener('abort', () => reject({ code: 'aborted', message: 'aborted' }));
      }),
  });
  await connected(1);
  const publish = {
    type: 'call' as const,
    method: 'publish' as const,
    client: 1,
    args: ['a', new Uint8Array(), {}],
  };
  send({ ...publish, id: 1 });
  send({ ...publish, id: 2, abortable: true });
  send({ ...publish, id: 3, abortable: true });
  send({ type: 'abort', id: 1 });
  send({ type: 'abort', id: 3 });
  expect(await posting('rejected')).toMatchObject({ id: 3, error: { code: 'aborted' } });
  expect(signals.map((signal) => signal?.aborted)).toEqual([undefined, false, true]);
});

test('a batch is transferred, and settles when the page has consumed it', async () => {
  const { send, posting, transferred, connected } = dispatcher();
  const sink = await connected(1);
  const buffer = new ArrayBuffer(4);
  const order: string[] = [];
  const consumed = Promise.resolve(sink.onBatch(buffer, 1, 2)).then(() => order.push('consumed'));
  expect(await posting('batch')).toEqual({ type: 'batch', client: 1, buffer, count: 1, dropped: 2 });
  expect(transferred.at(-1)).toEqual([buffer]);
  send({ type: 'consumed', client: 2 });
  await Promise.resolve();
  order.push('the page consumes');
  send({ type: 'consumed', client: 1 });
  await consumed;
  expect(order).toEqual(['the page consumes', 'consumed']);
});

test('the end of a client settles its batch, and nothing is delivered afterwards', async () => {
  const { send, posting, connected } = dispatcher();
  const sink = await connected(1);
  const consumed = sink.onBatch(new ArrayBuffer(0), 0, 0);
  sink.onEvent({ type: 'end' });
  await consumed;
  expect(await posting('event')).toEqual({ type: 'event', client: 1, event: { type: 'end' } });
  send({ type: 'call', method: 'disconnect', id: 1, client: 1, args: [{}] });
  expect((await posting('rejected')).error.code).toBe('not-connected');
});

test.each([
  [new Error('what'), { code: 'crashed', message: 'what' }],
  ['text', { code: 'crashed', message: 'text' }],
  [undefined, { code: 'crashed', message: 'undefined' }],
  [
    { code: 'bad-option', message: 'm', field: 'qos', closeCode: 1006, closeReason: 'r', other: () => {} },
    { code: 'bad-option', message: 'm', field: 'qos', closeCode: 1006, closeReason: 'r' },
  ],
])('toWire(%s)', (error, wire) => {
  expect(toWire(error)).toEqual(wire);
});

test('ping and tellPackets reach the client, and the round-trip time comes back', async () => {
  const told: unknown[] = [];
  const { send, posting, connected } = dispatcher({
    ping: async (limits) => {
      told.push(limits);
      return 3.25;
    },
    tellPackets: async (call) => void told.push(call),
  });
  await connected(1);
  send({ type: 'call', method: 'ping', id: 7, client: 1, args: [], timeout: 5 });
  expect(await posting('result')).toEqual({ type: 'result', id: 7, value: 3.25 });
  send({ type: 'call', method: 'tellPackets', id: 8, client: 1, args: [{ on: true }] });
  expect(await posting('result')).toEqual({ type: 'result', id: 8, value: undefined });
  expect(told).toEqual([{ timeout: 5 }, { on: true }]);
});
