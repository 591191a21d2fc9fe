import { expect, test } from 'vitest';
import type { Delivered, FromWorker } from './protocol';
import { createRunner } from './runner';
import type { Dependencies as Callbacks, Sandbox } from './sandbox';

const message: Delivered = {
  topic: 't',
  payload: new Uint8Array(),
  qos: 0,
  retain: false,
  receivedAt: 1,
  properties: {},
};

function open(create: (id: number, callbacks: Callbacks) => Promise<Sandbox> | Sandbox) {
  const posted: FromWorker[] = [];
  const waiting: { milliseconds: number; call(): void }[] = [];
  let time = 0;
  const run = createRunner({
    post: (one) => posted.push(one),
    create: async ({ id }, callbacks) => create(id, callbacks),
    after: (milliseconds, call) => waiting.push({ milliseconds, call }),
    now: () => time,
  });
  const load = (id: number) => run({ kind: 'load', program: { id, code: '', rate: 1 } });
  const deliver = (...to: number[][]) =>
    run({ kind: 'deliver', messages: to.map((ids, number) => ({ number, message, to: ids })) });
  const settle = async () => {
    for (let n = 0; n < 20; n++) await Promise.resolve();
  };
  function pass(milliseconds: number): void {
    time += milliseconds;
  }
  return { run, load, deliver, settle, posted, waiting, pass };
}

const idle: Sandbox = {
  deliver: () => undefined,
  message() {},
  fire() {},
  tell() {},
  state: () => undefined,
  ended: false,
};

test('a message waits for its scripts, and takes the first value', async () => {
  const { load, deliver, settle, posted } = open((id) => ({
    ...idle,
    deliver: () => (id === 1 ? undefined : `"${id}"`),
  }));
  for (const id of [1, 2, 3]) load(id);
  deliver([1, 2, 3], [3], [1]);
  await settle();
  expect(posted.filter(({ kind }) => kind === 'done')).toEqual([
    {
      kind: 'done',
      results: [{ number: 0, json: '"2"', by: 2 }, { number: 1, json: '"3"', by: 3 }, { number: 2 }],
    },
  ]);
  expect(posted.filter(({ kind }) => kind === 'running').map((one) => 'id' in one && one.id)).toEqual([
    1, 2, 3, 1, 2, 3, 1,
  ]);
});

test('work is reported and messages are handled after each slice', async () => {
  const { load, deliver, settle, posted, waiting, pass } = open(() => ({
    ...idle,
    deliver() {
      pass(15);
      return undefined;
    },
  }));
  load(1);
  await settle();
  deliver([1], [1], [1]);
  await settle();
  expect(posted.at(-1)).toEqual({ kind: 'done', results: [{ number: 0 }, { number: 1 }] });
  waiting[0]?.call();
  await settle();
  expect(posted.at(-1)).toEqual({ kind: 'done', results: [{ number: 2 }] });
});

test('timers fire while their script runs', async () => {
  const fired: number[] = [];
  let wake: Callbacks['wake'] = () => {};
  const { run, load, settle, waiting } = open((_, callbacks) => {
    wake = callbacks.wake;
    return { ...idle, fire: (timer) => fired.push(timer) };
  });
  load(1);
  await settle();
  wake(7, 500);
  wake(8, 600);
  expect(waiting.map(({ milliseconds }) => milliseconds)).toEqual([500, 600]);
  waiting[0]?.call();
  await settle();
  run({ kind: 'unload', id: 1 });
  waiting[1]?.call();
  await settle();
  expect(fired).toEqual([7]);
});

test('an engine that fails to load stops the script', async () => {
  const { load, deliver, settle, posted } = open(() => Promise.reject(new Error('status 404')));
  load(1);
  deliver([1]);
  await settle();
  expect(posted).toEqual([
    { kind: 'running', id: 1 },
    {
      kind: 'did',
      id: 1,
      number: undefined,
      act: { kind: 'stopped', why: 'unloaded', text: 'Error: status 404', place: undefined },
    },
    { kind: 'done', results: [{ number: 0 }] },
  ]);
});

test('an ended script gets no more messages, and a ping is answered', async () => {
  let calls = 0;
  const { run, load, deliver, settle, posted } = open(() => {
    const sandbox = { ...idle, ended: false, tell: () => void calls++ };
    return Object.assign(sandbox, {
      deliver() {
        calls++;
        sandbox.ended = true;
        return undefined;
      },
    });
  });
  load(1);
  deliver([1], [1]);
  await settle();
  run({ kind: 'ping' });
  expect(calls).toBe(1);
  expect(posted.at(-1)).toEqual({ kind: 'pong' });
});

test('a ping returns the state of each script in a separate call', async () => {
  const { run, load, settle, posted } = open((id) => ({
    ...idle,
    state: () => (id === 2 ? '{}' : undefined),
  }));
  load(1);
  load(2);
  await settle();
  posted.length = 0;
  run({ kind: 'ping' });
  expect(posted).toEqual([
    { kind: 'running', id: 1 },
    { kind: 'running', id: 2 },
    { kind: 'state', id: 2, json: '{}' },
    { kind: 'pong' },
  ]);
});
