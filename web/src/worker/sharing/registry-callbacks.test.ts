import { expect, onTestFinished, test, vi } from 'vitest';
import { scripted, settled, tab, url } from './testing';

test('callbacks go to the newest tab that has them, and to the next when it dies', async () => {
  const { registry, sink } = scripted();
  const [a, b, c] = [tab(registry.attach()), tab(registry.attach()), tab(registry.attach())];
  await a.connect({ onAttempt: async () => ({ username: 'a' }) });
  await b.connect({ onAttempt: () => new Promise(() => {}) });
  await c.connect();
  const answer = sink().onAttempt?.({ url, attempt: 1 });
  await settled();
  b.port.leave();
  expect(await answer).toEqual({ username: 'a' });
  a.port.leave();
  expect(await sink().onAttempt?.({ url, attempt: 2 })).toBeUndefined();
});

test('a tab that does not respond is asked only for a share of the time, and last from then on', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const { registry, sink } = scripted();
  const asked: string[] = [];
  const answering = (name: string) => ({
    connectTimeout: 3000,
    async onAttempt() {
      asked.push(name);
      if (name === 'b') await new Promise(() => {});
      return { username: name };
    },
  });
  for (const name of ['a', 'b']) await tab(registry.attach()).connect(answering(name));
  const ask = (attempt: number) => sink().onAttempt?.({ url, attempt });
  const first = ask(1);
  await vi.advanceTimersByTimeAsync(999);
  expect(asked).toEqual(['b']);
  await vi.advanceTimersByTimeAsync(1);
  expect(await first).toEqual({ username: 'a' });
  expect(await ask(2)).toEqual({ username: 'a' });
  expect(asked).toEqual(['b', 'a', 'a']);
});

test('a late response counts even after others have been asked', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const { registry, sink } = scripted();
  let answer = (_: object): void => {};
  const b = tab(registry.attach());
  await tab(registry.attach()).connect({ onAttempt: () => new Promise(() => {}) });
  await b.connect({ onAttempt: () => new Promise((resolve) => (answer = resolve)) });
  const coming = sink().onAttempt?.({ url, attempt: 1 });
  await vi.advanceTimersByTimeAsync(10_000);
  answer({ username: 'b' });
  expect(await coming).toEqual({ username: 'b' });
});

test('a callback pending at a tab that ends goes to the next', async () => {
  const { registry, sink } = scripted();
  let refuse = (_: object): void => {};
  const [a, b] = [tab(registry.attach()), tab(registry.attach())];
  await a.connect({ onAttempt: async () => ({ username: 'a' }) });
  const second = await b.connect({ onAttempt: () => new Promise((_, reject) => (refuse = reject)) });
  const coming = sink().onAttempt?.({ url, attempt: 1 });
  await second.disconnect();
  refuse({ code: 'not-connected', message: 'ended' });
  expect(await coming).toEqual({ username: 'a' });
});

test('authentication fails without a tab to respond', async () => {
  const { registry, sink } = scripted();
  const a = tab(registry.attach());
  await a.connect({ onAuthenticate: async () => undefined });
  await tab(registry.attach()).connect();
  const step = { phase: 'start', method: 'm', reauthentication: false } as const;
  expect(await sink().onAuthenticate?.(step)).toBeUndefined();
  a.port.leave();
  await expect(sink().onAuthenticate?.(step)).rejects.toMatchObject({ code: 'aborted' });
});

test('each tab enables its own packet events; the program reports packets while one does', async () => {
  const { registry, calls, connects, sink } = scripted();
  const seen: string[] = [];
  const onPackets = (name: string) => () => void seen.push(name);
  const first = tab(registry.attach());
  const one = await first.connect({ onPackets: onPackets('first') });
  const second = tab(registry.attach());
  await second.connect({ onPackets: onPackets('second'), packetEvents: true });
  expect(connects).toMatchObject([{ packetEvents: false }]);
  const told = () =>
    calls.filter(([name]) => name === 'tellPackets').map(([, call]) => (call as { on: boolean }).on);
  expect(told()).toEqual([true]);
  sink().onPackets?.(new ArrayBuffer(1), 0);
  expect(seen).toEqual(['second']);

  await one.tellPackets({ on: true });
  sink().onPackets?.(new ArrayBuffer(1), 0);
  expect(seen).toEqual(['second', 'first', 'second']);
  second.port.leave();
  expect(told()).toEqual([true]);
  await one.tellPackets({ on: false });
  expect(told()).toEqual([true, false]);
  expect(await one.ping()).toBe(2);
});

test('the first tab to enable packet events gets them from CONNECT on', async () => {
  const { registry, connects, calls } = scripted();
  await tab(registry.attach()).connect({ packetEvents: true });
  expect(connects).toMatchObject([{ packetEvents: true }]);
  expect(calls).toEqual([]);
});
