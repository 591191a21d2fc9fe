import { afterEach, expect, test, vi } from 'vitest';
import { choose } from '../core/i18n/i18n';
import { message, open, script } from './testing-host';
import { createTrial } from './trial';

vi.stubGlobal('document', { documentElement: {} });
afterEach(() => choose('en'));

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

test('what a script did is told in the language of now, in its log and after a trial', async () => {
  const page = open(script('a'));
  const running = createTrial(page.deps).run('code', message('x'));
  const act = { kind: 'error', text: 'Error: x', place: { line: 3, column: 1 } } as const;
  const publication = { topic: 't', payload: 'p', options: {} };
  page.engines[0]?.say({ kind: 'did', id: 1, act, number: 0 });
  page.engines[0]?.say({ kind: 'did', id: 1, act: { kind: 'publish', publication }, number: 0 });
  page.engines[0]?.say({ kind: 'done', results: [{ number: 0, json: '1' }] });
  const tried = await running;
  page.turn('a');
  const limited = { kind: 'limited', publications: 1, alerts: 0, lines: 2 } as const;
  page.engines[1]?.say({ kind: 'did', id: 1, act, number: undefined });
  page.engines[1]?.say({ kind: 'did', id: 1, act: limited, number: undefined });
  page.engines[1]?.break();
  const texts = () => [...(tried?.did ?? []), ...page.host.log.value].map(({ text }) => text);
  expect(texts()).toEqual([
    'Error: x (line 3)',
    'would publish to t: p',
    'Error: x (line 3)',
    'Left out, over the limit for one second: 1 publish, 2 lines of the log',
    'Not started: its engine could not be loaded (gone)',
  ]);
  await choose('zh');
  expect(texts().filter((text) => !/\p{Script=Han}/u.test(text))).toEqual([]);
  expect(texts()[0]).toBe('Error: x（第 3 行）');
});
