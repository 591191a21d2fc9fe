import { expect, test, vi } from 'vitest';
import type { Client } from '../../client';
import { MqttError } from '../../client';
import { bounds } from './bounds';
import { message, open, script, url } from './testing-host';

const told = ({ host }: ReturnType<typeof open>) => host.log.value.map(({ by, text }) => `${by}: ${text}`);
const deliveries = (one: ReturnType<typeof open>) =>
  one.posted('deliver').flatMap((sent) => (sent.kind === 'deliver' ? sent.messages : []));

test('the worker starts with the first enabled script, and ends with the last', () => {
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

test('a script runs only at the broker it was enabled for', () => {
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

test('a script that is gone is off, and another one that gets its name does not run by itself', () => {
  const page = open(script('a'), script('b'));
  page.turn('a');
  page.turn('b');
  page.library.remove('a');
  expect(page.hook.on.value).toEqual({ url, names: ['b'] });
  page.library.add(script('a', { code: 'other' }));
  expect([...page.host.states.value.keys()]).toEqual(['b']);
});

test('what came from a file does not run, whatever says that it is on', () => {
  const page = open(script('a', { foreign: true }));
  page.turn('a');
  expect(page.engines).toHaveLength(0);
  page.library.change('a', { foreign: false });
  page.turn('a');
  expect(page.engines).toHaveLength(1);
});

test('messages go to scripts with matching filters, as copies', () => {
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

test('a value is stored with its message, shown in feed and tree, and counts as bytes held', async () => {
  const page = open(script('a'));
  page.turn('a');
  const [first, second] = [message('x'), message('x')];
  page.hear(first);
  page.engines[0]?.say({ kind: 'done', results: [{ number: 0, json: '{"n":1}', by: 1 }] });
  expect(first.decoded).toEqual({ json: '{"n":1}', by: 'a' });
  expect(page.readings.of(first)).toBe(first.decoded);
  expect(page.grown).toEqual([[0, 14]]);
  // From now on charts wait for the script's value.
  page.hear(second);
  const after = vi.fn();
  void second.pending?.then(after);
  await Promise.resolve();
  expect(after).not.toHaveBeenCalled();
  page.engines[0]?.say({ kind: 'done', results: [{ number: 1, json: '2', by: 1 }] });
  await second.pending;
  expect(after).toHaveBeenCalled();
});

test('excess messages are skipped and counted, and pending ones are released when the script ends', async () => {
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

test('publishes go through the client, and failures are logged', async () => {
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

test('errors thrown by a script are counted, and its row shows that it fails', () => {
  const page = open(script('throws'));
  page.turn('throws');
  const thrown = { kind: 'error', text: 'TypeError: no', place: { line: 1, column: 1 } } as const;
  page.engines[0]?.say({ kind: 'did', id: 1, act: { kind: 'log', text: 'fine' }, number: undefined });
  page.engines[0]?.say({ kind: 'did', id: 1, act: thrown, number: undefined });
  page.engines[0]?.say({ kind: 'did', id: 1, act: thrown, number: undefined });
  expect(page.host.states.value.get('throws')).toMatchObject({ failed: 2 });
});

test('an alert marks the row of its message, and notifications are rate-limited', () => {
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

test('a stopped script is off, with the reason and the line', async () => {
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

test('a silent worker is terminated; the script it was running is off, the others restart', () => {
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

test('a worker that fails to load switches all scripts off', () => {
  const page = open(script('a'), script('b'));
  page.turn('a');
  page.turn('b');
  page.engines[0]?.break();
  expect(page.hook.on.value.names).toEqual([]);
  expect(told(page)[0]).toBe('a: Not started: its engine could not be loaded (gone)');
});

test('the log is bounded', () => {
  const page = open(script('a'));
  page.turn('a');
  for (let n = 0; n < bounds.log + 50; n++) {
    page.engines[0]?.say({ kind: 'did', id: 1, act: { kind: 'log', text: String(n) }, number: undefined });
  }
  expect(page.host.log.value).toHaveLength(bounds.log);
  expect(told(page).at(-1)).toBe(`a: ${bounds.log + 49}`);
});

test('changed code runs when the script is restarted', () => {
  const page = open(script('a'));
  page.turn('a');
  page.library.change('a', { code: 'let b' });
  expect(page.host.states.value.get('a')?.changed).toBe(true);
  page.host.restart('a');
  expect(page.host.states.value.get('a')?.changed).toBe(false);
  expect(page.posted('load').map((one) => one.kind === 'load' && one.program.code)).toEqual(['let b']);
});

test('everything ends with the connection', () => {
  const page = open(script('a'));
  page.turn('a');
  page.host.dispose();
  expect(page.engines[0]?.ended).toBe(true);
  page.hear(message('x'));
  expect(deliveries(page)).toEqual([]);
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

test('state is restored after a reload or a hang, and ends with the script', () => {
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

  // Neither unserialisable state nor that of other code is kept.
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
