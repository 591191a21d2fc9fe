/** The worker's part: runs scripts, with messages and timers, one call after the other. */

import type { Act, FromWorker, Program, Result, ToWorker } from './protocol';
import type { Dependencies as Callbacks, Sandbox } from './sandbox';

export interface Dependencies {
  post(message: FromWorker): void;
  create(program: Program, callbacks: Callbacks): Promise<Sandbox>;
  after(milliseconds: number, call: () => void): void;
  now(): number;
}

type Task =
  | { kind: 'load'; program: Program }
  | ({ kind: 'deliver' } & Extract<ToWorker, { kind: 'deliver' }>['messages'][number])
  | { kind: 'fire'; id: number; timer: number };

/** Milliseconds of work, after which messages of the page are handled. */
const slice = 20;

export function createRunner({ post, create, after, now }: Dependencies): (message: ToWorker) => void {
  /** Undefined while it is being made. */
  const sandboxes = new Map<number, Sandbox | undefined>();
  let tasks: Task[] = [];
  let next = 0;
  let working = false;
  let results: Result[] = [];
  let running: number | undefined;
  /** Number of the message that is delivered now. */
  let current: number | undefined;

  function run<T>(id: number, call: (sandbox: Sandbox) => T): T | undefined {
    const sandbox = sandboxes.get(id);
    if (!sandbox) return undefined;
    // Before the call, since one that never ends can't report it afterwards.
    if (running !== id) post({ kind: 'running', id });
    running = id;
    const value = call(sandbox);
    if (sandbox.ended) sandboxes.delete(id);
    return value;
  }

  async function load(program: Program): Promise<void> {
    const { id } = program;
    if (!sandboxes.has(id)) return; // unloaded meanwhile
    post({ kind: 'running', id });
    running = id;
    const act = (act: Act) => post({ kind: 'did', id, act, number: current });
    const wake = (timer: number, milliseconds: number) =>
      after(milliseconds, () => add({ kind: 'fire', id, timer }));
    try {
      const sandbox = await create(program, { now, act, wake });
      if (!sandboxes.has(id)) return;
      if (sandbox.ended) sandboxes.delete(id);
      else sandboxes.set(id, sandbox);
      if (!sandbox.ended) post({ kind: 'loaded', id });
    } catch (error) {
      sandboxes.delete(id);
      act({ kind: 'stopped', why: 'unloaded', text: String(error), place: undefined });
    }
  }

  function deliver({ number, message, to }: Extract<Task, { kind: 'deliver' }>): void {
    const result: Result = { number };
    current = number;
    for (const id of to) {
      const json = run(id, (sandbox) => sandbox.deliver(message));
      if (json !== undefined && result.json === undefined) Object.assign(result, { json, by: id });
    }
    current = undefined;
    results.push(result);
  }

  function flush(): void {
    if (results.length > 0) post({ kind: 'done', results });
    results = [];
  }

  async function work(): Promise<void> {
    working = true;
    let begun = now();
    while (next < tasks.length) {
      const task = tasks[next++] as Task;
      if (task.kind === 'load') await load(task.program);
      else if (task.kind === 'deliver') deliver(task);
      else run(task.id, (sandbox) => sandbox.fire(task.timer));
      if (now() - begun < slice) continue;
      flush();
      await new Promise<void>((resolve) => after(0, resolve));
      begun = now();
    }
    tasks = [];
    next = 0;
    working = false;
    flush();
  }

  function add(...more: Task[]): void {
    tasks.push(...more);
    if (!working) void work();
  }

  return (message) => {
    switch (message.kind) {
      case 'load':
        sandboxes.set(message.program.id, undefined);
        add(message);
        break;
      case 'unload':
        sandboxes.delete(message.id);
        break;
      case 'deliver':
        add(...message.messages.map((one): Task => ({ kind: 'deliver', ...one })));
        break;
      case 'ping':
        for (const id of sandboxes.keys()) {
          const json = run(id, (sandbox) => {
            sandbox.tell();
            return sandbox.state();
          });
          if (json !== undefined) post({ kind: 'state', id, json });
        }
        post({ kind: 'pong' });
    }
  };
}
