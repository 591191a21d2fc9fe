import { signal } from '@preact/signals';
import { expect, test, vi } from 'vitest';
import type { Client, Message } from '../../client';
import { MqttError } from '../../client';
import { browser } from '../core/testing';
import type { Readable } from '../payload/guess';
import { readingsOf } from '../session/readings';
import { createScripts } from '../session/scripts';
import { bounds } from './bounds';
import { createHost } from './host';
import { createLibrary } from './library';
import type { FromWorker, ToWorker } from './protocol';
import type { Script } from './text';
import { createTrial } from './trial';

const url = 'ws://broker/mqtt';
const script = (name: string, more: Partial<Script> = {}): Script => ({
  name,
  filter: '#',
  code: 'for (;;) {}',
  rate: 7,
  ...more,
});

let received = 0;
const message = (topic: string, payload = new Uint8Array(1)) =>
  ({ topic, payload, qos: 0, retain: false, receivedAt: ++received, properties: {} }) as unknown as Message &
    Readable;

function open(...scripts: Script[]) {
  const library = createLibrary(browser().open());
  library.add(...scripts);
  const published = vi.fn(async () => ({}));
  const client = signal<Client | undefined>({
    url: `${url}?token=1`,
    publish: published,
  } as unknown as Client);
  const hook = createScripts();
  const engines: {
    posted: ToWorker[];
    say(message: FromWorker): void;
    break(): void;
    ended: boolean;
  }[] = [];
  const entries: { message: Message; alert?: string }[] = [];
  const grown: [number, number][] = [];
  let waiting: (() => void)[] = [];
  let time = 0;
  const readings = readingsOf();
  const notify = vi.fn();
  const deps: Parameters<typeof createHost>[0] = {
    scripts: hook,
    client,
    library,
    feed: {
      next: () => entries.length,
      get: (number: number) => entries[number] as never,
      grow: (number: number, by: number) => void grown.push([number, by]),
      show() {},
    },
    readings,
    start(heard, broken) {
      const engine = { posted: [] as ToWorker[], say: heard, break: () => broken('gone'), ended: false };
      engines.push(engine);
      return {
        post: (one) => engine.posted.push(one),
        terminate() {
          engine.ended = true;
        },
      };
    },
    lineOfHang: async () => 42,
    clock: {
      now: () => time,
      after(_, call) {
        waiting.push(call);
        return () => {
          waiting = waiting.filter((other) => other !== call);
        };
      },
    },
    paint: (call) => call(),
    notify,
  };
  const host = createHost(deps);
  /** A batch, as the session hands it on. */
  const hear = (...messages: Message[]) => {
    hook.hear(messages);
    entries.push(...messages.map((one) => ({ message: one })));
  };
  const second = () => {
    time += 1000;
    for (const call of waiting.splice(0)) call();
  };
  const turn = (name: string, on = true) => host.turn(name, on, client.peek()?.url ?? url);
  const posted = (kind: ToWorker['kind']) => engines.at(-1)?.posted.filter((one) => one.kind === kind) ?? [];
  return {
    host,
    hook,
    library,
    client,
    engines,
    entries,
    grown,
    hear,
    second,
    turn,
    posted,
    published,
    readings,
    notify,
    deps,
  };
}

const told = ({ host }: ReturnType<typeof open>) => host.log.value.map(({ by, text }) => `${by}: ${text}`);
const deliveries = (one: ReturnType<typeof open>) =>
  one.posted('deliver').flatMap((sent) => (sent.kind === 'deliver' ? sent.messages : []));

test('a worker is started with the first script that is on, and ends with the last', () => {
  const page = open(script('a'), script('b'));
  expect(page.engines).toHaveLength(0);
  page.turn('a');
  page.turn('b');
  expect(page.engines).toHaveLength(1);
  expect(page.posted('load').map((one) => one.kind === 'load' && one.program)).toEqual([
    { id: 1, code: 'for (;;) {}', rate: 7 },
    { id: 2, code: 'for (;;) {}', rate: 7 },
  ]);
  page.turn('a', false);
  expect(page.posted('unload')).toEqual([{ kind: 'unload', id: 1 }]);
  page.library.remove('b');
  expect(page.engines[0]?.ended).toBe(true);
});

test('a script runs at the broker that it was switched on for, and nowhere else', () => {
  const page = open(script('a'));
  page.turn('a');
  expect(page.hook.on.value).toEqual({ url, names: ['a'] });
  page.client.value = undefined;
  expect(page.engines[0]?.ended).toBe(true);
  page.client.value = { url: 'ws://other/mqtt' } as Client;
  expect(page.engines).toHaveLength(1);
  page.client.value = { url } as Client;
  expect(page.engines).toHaveLength(2);
});

test('what came from a file does not run, whatever says that it is on', () => {
  const page = open(script('a', { foreign: true }));
  page.turn('a');
  expect(page.engines).toHaveLength(0);
  page.library.change('a', { foreign: false });
  page.turn('a');
  expect(page.engines).toHaveLength(1);
});

test('messages go to the scripts whose filters select them, as copies', () => {
  const page = open(script('a', { filter: 'x/+' }), script('b'));
  page.turn('a');
  page.turn('b');
  const batch = new Uint8Array(1000);
  page.hear(message('x/1', batch.subarray(10, 12)), message('y'));
  const sent = deliveries(page);
  expect(sent.map(({ number, to }) => [number, to])).toEqual([
    [0, [1, 2]],
    [1, [2]],
  ]);
  expect(sent[0]?.message.payload.buffer.byteLength).toBe(2);
});

test('a value is the message’s, in the feed and in the tree, and counts as bytes held', async () => {
  const page = open(script('a'));
  page.turn('a');
  const [first, second] = [message('x'), message('x')];
  page.hear(first);
  page.engines[0]?.say({ kind: 'done', results: [{ number: 0, json: '{"n":1}', by: 1 }] });
  expect(first.decoded).toEqual({ json: '{"n":1}', by: 'a' });
  expect(page.readings.of(first)).toBe(first.decoded);
  expect(page.grown).toEqual([[0, 14]]);
  // From now on a chart waits for what the script says.
  page.hear(second);
  const after = vi.fn();
  void second.pending?.then(after);
  await Promise.resolve();
  expect(after).not.toHaveBeenCalled();
  page.engines[0]?.say({ kind: 'done', results: [{ number: 1, json: '2', by: 1 }] });
  await second.pending;
  expect(after).toHaveBeenCalled();
});

test('a flood is left out and counted, and what waited is let go when the script ends', async () => {
  const page = open(script('a'));
  page.turn('a');
  page.hear(message('x'));
  page.engines[0]?.say({ kind: 'done', results: [{ number: 0, json: '1', by: 1 }] });
  const flood = Array.from({ length: bounds.backlog.messages + 5 }, () => message('x'));
  page.hear(...flood);
  expect(deliveries(page)).toHaveLength(1 + bounds.backlog.messages);
  expect(page.host.states.value.get('a')).toMatchObject({ messages: 1001, dropped: 5 });
  page.hear(message('x', new Uint8Array(bounds.backlog.message + 1)));
  expect(page.host.states.value.get('a')?.dropped).toBe(6);
  page.turn('a', false);
  await flood[0]?.pending;
});

test('the backlog is bounded in bytes, too', () => {
  const page = open(script('a'));
  page.turn('a');
  page.hear(...Array.from({ length: 20 }, () => message('x', new Uint8Array(bounds.backlog.message))));
  expect(deliveries(page)).toHaveLength(bounds.backlog.bytes / bounds.backlog.message);
});

test('publishes go through the client, and failures are told', async () => {
  const page = open(script('a'));
  page.turn('a');
  const publication = { topic: 't', payload: 'p', options: { qos: 1, properties: { contentType: 'x' } } };
  const act = { kind: 'publish' as const, publication: { ...publication, correlationData: 'c' } };
  page.engines[0]?.say({ kind: 'did', id: 1, act, number: undefined });
  expect(page.published).toHaveBeenCalledWith('t', 'p', {
    qos: 1,
    properties: { contentType: 'x', correlationData: 'c' },
  });
  page.published.mockRejectedValueOnce(new MqttError('bad-option', 'topic: no', { field: 'topic' }));
  page.engines[0]?.say({ kind: 'did', id: 1, act, number: undefined });
  await vi.waitFor(() => expect(told(page)).toEqual(['a: Not published: topic: no']));
  expect(page.host.states.value.get('a')).toMatchObject({ published: 1, refused: 1 });
  page.published.mockReturnValue(new Promise(() => {}));
  for (let n = 0; n < bounds.unacknowledged + 3; n++)
    page.engines[0]?.say({ kind: 'did', id: 1, act, number: undefined });
  expect(page.host.states.value.get('a')?.refused).toBe(4);
});

test('what a script throws is counted, so that its row tells that it fails', () => {
  const page = open(script('throws'));
  page.turn('throws');
  const thrown = { kind: 'error', text: 'TypeError: no', place: { line: 1, column: 1 } } as const;
  page.engines[0]?.say({ kind: 'did', id: 1, act: { kind: 'log', text: 'fine' }, number: undefined });
  page.engines[0]?.say({ kind: 'did', id: 1, act: thrown, number: undefined });
  page.engines[0]?.say({ kind: 'did', id: 1, act: thrown, number: undefined });
  expect(page.host.states.value.get('throws')).toMatchObject({ failed: 2 });
});

test('an alert marks the row of its message, and not too many notify', () => {
  const page = open(script('a'));
  page.turn('a');
  page.hear(message('x'));
  for (const text of ['hot', 'hotter']) {
    page.engines[0]?.say({ kind: 'did', id: 1, act: { kind: 'alert', text }, number: 0 });
  }
  expect(page.entries[0]?.alert).toBe('hotter');
  expect(told(page)).toEqual(['a: hot', 'a: hotter']);
  expect(page.notify.mock.calls).toEqual([['a', 'hot']]);
});

test('a script that was stopped is off, and says why and where', async () => {
  const page = open(script('a'), script('b'));
  page.turn('a');
  page.turn('b');
  const place = { line: 1, column: 1 };
  page.engines[0]?.say({
    kind: 'did',
    id: 1,
    act: { kind: 'stopped', why: 'slow', text: '', place },
    number: 0,
  });
  await vi.waitFor(() => expect(page.hook.on.value.names).toEqual(['b']));
  expect(page.host.stops.value.get('a')).toBe('Stopped: it took longer than 50 ms (line 42)');
  const failed = { kind: 'stopped' as const, why: 'failed' as const, text: 'SyntaxError: x', place };
  page.engines[0]?.say({ kind: 'did', id: 2, act: failed, number: 0 });
  await vi.waitFor(() => expect(page.hook.on.value.names).toEqual([]));
  expect(page.host.stops.value.get('b')).toBe('Not started: SyntaxError: x (line 1)');
  expect(page.engines[0]?.ended).toBe(true);
});

test('a worker that is silent is ended; the script it was at is off, the others begin anew', () => {
  const page = open(script('a'), script('b'));
  page.turn('a');
  page.turn('b');
  page.engines[0]?.say({ kind: 'running', id: 2 });
  for (let n = 0; n < bounds.silence; n++) page.second();
  expect(page.engines[0]?.ended).toBe(false);
  page.engines[0]?.say({ kind: 'pong' });
  for (let n = 0; n <= bounds.silence; n++) page.second();
  expect(page.engines[0]?.ended).toBe(true);
  expect(page.hook.on.value.names).toEqual(['a']);
  expect(page.engines).toHaveLength(2);
  expect(page.posted('load').map((one) => one.kind === 'load' && one.program.id)).toEqual([1]);
});

test('a worker that can’t be loaded switches all off', () => {
  const page = open(script('a'), script('b'));
  page.turn('a');
  page.turn('b');
  page.engines[0]?.break();
  expect(page.hook.on.value.names).toEqual([]);
  expect(told(page)[0]).toBe('a: Not started: its engine could not be loaded (gone)');
});

test('the log keeps its bound', () => {
  const page = open(script('a'));
  page.turn('a');
  for (let n = 0; n < bounds.log + 50; n++) {
    page.engines[0]?.say({ kind: 'did', id: 1, act: { kind: 'log', text: String(n) }, number: undefined });
  }
  expect(page.host.log.value).toHaveLength(bounds.log);
  expect(told(page).at(-1)).toBe(`a: ${bounds.log + 49}`);
});

test('code that was changed runs when the script is started again', () => {
  const page = open(script('a'));
  page.turn('a');
  page.library.change('a', { code: 'let b' });
  expect(page.host.states.value.get('a')?.changed).toBe(true);
  page.host.restart('a');
  expect(page.host.states.value.get('a')?.changed).toBe(false);
  expect(page.posted('load').map((one) => one.kind === 'load' && one.program.code)).toEqual(['let b']);
});

test('with its connection all of it ends', () => {
  const page = open(script('a'));
  page.turn('a');
  page.host.dispose();
  expect(page.engines[0]?.ended).toBe(true);
  page.hear(message('x'));
  expect(deliveries(page)).toEqual([]);
});

test('a trial publishes nothing, and tells what it would have', async () => {
  const { deps, engines } = open();
  const trial = createTrial(deps);
  const running = trial.run('code', message('x'));
  const publication = { topic: 't', payload: new Uint8Array([0xff]), options: {} };
  const place = { line: 3, column: 1 };
  for (const act of [
    { kind: 'publish', publication },
    { kind: 'error', text: 'Error: x', place },
  ] as const)
    engines[0]?.say({ kind: 'did', id: 1, act, number: 0 });
  engines[0]?.say({ kind: 'done', results: [{ number: 0, json: '1' }] });
  expect(await running).toEqual({
    json: '1',
    did: [
      { kind: 'log', text: 'would publish to t: ff' },
      { kind: 'error', text: 'Error: x (line 3)' },
    ],
  });
  expect(engines[0]?.ended).toBe(true);
});

test('a trial that hangs is ended, and another one takes the place of one that runs', async () => {
  const { deps, engines, second } = open();
  const trial = createTrial(deps);
  const first = trial.run('code', message('x'));
  const next = trial.run('code', message('x'));
  expect(await first).toBeUndefined();
  engines[1]?.say({ kind: 'loaded', id: 1 });
  second();
  expect((await next)?.did).toEqual([{ kind: 'error', text: 'Stopped: it took longer than 50 ms' }]);
  expect(engines.map(({ ended }) => ended)).toEqual([true, true]);
});

test('a script that was not reviewed is not switched on by a profile, nor by a review elsewhere', () => {
  const page = open(script('mine'), script('theirs', { foreign: true }));
  page.hook.on.value = { url, names: ['theirs', 'mine'] };
  expect(page.hook.on.value).toEqual({ url, names: ['mine'] });
  expect([...page.host.states.value.keys()]).toEqual(['mine']);
  page.library.change('theirs', { foreign: false });
  expect([...page.host.states.value.keys()]).toEqual(['mine']);
  page.turn('theirs');
  expect([...page.host.states.value.keys()]).toEqual(['mine', 'theirs']);
});

test('state is there again after a reload or a hang, and ends with the script', () => {
  const page = open(script('a'), script('b'));
  page.hook.states.set('a', '{"n":1}');
  page.hook.on.value = { url, names: ['a', 'b'] };
  const states = () => page.posted('load').map((one) => one.kind === 'load' && one.program.state);
  expect(states()).toEqual(['{"n":1}', undefined]);
  const [engine] = page.engines;
  engine?.say({ kind: 'state', id: 1, json: '{"n":2}' });
  engine?.say({ kind: 'state', id: 2, json: '[]' });
  engine?.say({ kind: 'running', id: 2 });
  expect([...page.hook.states]).toEqual([
    ['a', '{"n":2}'],
    ['b', '[]'],
  ]);
  for (let n = 0; n <= bounds.silence; n++) page.second();
  expect([page.engines.length, states(), [...page.hook.states.keys()]]).toEqual([2, ['{"n":2}'], ['a']]);

  // Neither what can't be kept, nor what other code left.
  const last = page.engines.at(-1);
  last?.say({ kind: 'state', id: 1, json: '' });
  expect(page.hook.states.size).toBe(0);
  last?.say({ kind: 'state', id: 1, json: '{}' });
  page.library.change('a', { code: 'other' });
  last?.say({ kind: 'state', id: 1, json: '{}' });
  expect(page.hook.states.size).toBe(0);
  page.host.restart('a');
  last?.say({ kind: 'state', id: 3, json: '{"n":3}' });
  page.turn('a', false);
  page.turn('a');
  expect(states()).toEqual([undefined]);
});
