import { expect, test } from 'vitest';
import { followPage, thisPage } from './page-lifecycle';

/** An event target that counts its listeners. */
class Counting extends EventTarget {
  visibilityState: DocumentVisibilityState = 'visible';
  added = 0;
  removed = 0;

  override addEventListener(...all: Parameters<EventTarget['addEventListener']>): void {
    this.added++;
    super.addEventListener(...all);
  }

  override removeEventListener(...all: Parameters<EventTarget['removeEventListener']>): void {
    this.removed++;
    super.removeEventListener(...all);
  }
}

function follow() {
  const page = { window: new Counting(), document: new Counting() };
  const told: string[] = [];
  const stop = followPage(page, {
    offline: () => told.push('offline'),
    wake: () => told.push('wake'),
    suspend: () => told.push('suspend'),
    resume: () => told.push('resume'),
  });
  const happen = (type: string, detail: object = {}): void => {
    const target = /^(freeze|resume|visibilitychange)$/.test(type) ? page.document : page.window;
    target.dispatchEvent(Object.assign(new Event(type), detail));
  };
  return { page, told, stop, happen };
}

test('there is no page in Node', () => {
  expect(thisPage()).toBeUndefined();
});

test('going offline or online checks the connection', () => {
  const { told, happen } = follow();
  happen('offline');
  happen('online');
  expect(told).toEqual(['offline', 'wake', 'wake']);
});

test('a page that becomes visible wakes the connection, a hidden one does not', () => {
  const { page, told, happen } = follow();
  page.document.visibilityState = 'hidden';
  happen('visibilitychange');
  expect(told).toEqual([]);
  page.document.visibilityState = 'visible';
  happen('visibilitychange');
  expect(told).toEqual(['wake']);
});

test('into the back-forward cache and out of it, with Chromium’s events', () => {
  const { told, happen } = follow();
  for (const type of ['pagehide', 'visibilitychange', 'freeze']) happen(type);
  expect(told).toEqual(['suspend']);
  for (const type of ['resume', 'visibilitychange']) happen(type);
  happen('pageshow', { persisted: true });
  expect(told).toEqual(['suspend', 'resume', 'wake']);
});

test('out of the back-forward cache in a browser without freeze events', () => {
  const { told, happen } = follow();
  happen('pagehide');
  happen('pageshow', { persisted: true });
  happen('online');
  expect(told).toEqual(['suspend', 'resume', 'wake']);
});

test('a page shown for the first time has nothing to resume', () => {
  const { told, happen } = follow();
  happen('pageshow', { persisted: false });
  happen('pageshow', { persisted: true });
  happen('resume');
  expect(told).toEqual([]);
});

test('nothing wakes a suspended connection', () => {
  const { told, happen } = follow();
  for (const type of ['freeze', 'online', 'offline', 'visibilitychange']) happen(type);
  expect(told).toEqual(['suspend', 'offline']);
});

test('after the end events are ignored', () => {
  const { told, stop, happen } = follow();
  stop();
  for (const type of ['offline', 'online', 'pagehide', 'freeze', 'visibilitychange']) happen(type);
  expect(told).toEqual([]);
});

test('a thousand clients leave no listener behind', () => {
  const page = { window: new Counting(), document: new Counting() };
  const nothing = (): void => {};
  const listener = { offline: nothing, wake: nothing, suspend: nothing, resume: nothing };
  for (let round = 0; round < 1000; round++) followPage(page, listener)();
  expect([page.window.added, page.document.added]).toEqual([4000, 3000]);
  expect([page.window.removed, page.document.removed]).toEqual([4000, 3000]);
});
