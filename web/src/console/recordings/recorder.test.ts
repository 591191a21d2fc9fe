import { expect, it } from 'vitest';
import type { Chunk } from './chunk';
import type { Change, Recording } from './database';
import { createRecorder } from './recorder';
import { deferred, entry } from './testing';

const empty: Recording = {
  id: 1,
  name: 'n',
  broker: '',
  filter: '',
  begin: 0,
  end: 0,
  received: 0,
  sent: 0,
  unsent: 0,
  bytes: 0,
  lost: 0,
  chunks: 0,
  done: false,
};

/** A disk whose writes complete on demand. */
function setUp(bounds?: { messages: number; bytes: number }) {
  const calls: (() => void)[] = [];
  const writes: { chunks: readonly Chunk[]; end: ReturnType<typeof deferred> }[] = [];
  const reasons: string[] = [];
  let now = 0;
  let stored = empty;
  const database = {
    async append(_: number, chunks: readonly Chunk[], change: Change): Promise<Recording> {
      const end = deferred();
      writes.push({ chunks, end });
      await end.promise;
      stored = change(stored);
      return stored;
    },
  };
  const after = (milliseconds: number, call: () => void) => {
    expect(milliseconds).toBe(250);
    calls.push(call);
  };
  const recorder = createRecorder(
    { database, after, now: () => ++now },
    empty,
    ({ message }) => reasons.push(message),
    bounds,
  );
  const settle = async () => {
    for (let turns = 0; turns < 10; turns++) await Promise.resolve();
  };
  return { recorder, calls, writes, reasons, settle, stored: () => stored };
}

it('writes messages in groups, a few times a second', async () => {
  const { recorder, calls, writes, settle, stored } = setUp();
  for (const direction of ['received', 'sent', 'not sent'] as const) recorder.take(entry('x', {}, direction));
  expect(calls).toHaveLength(1);
  expect(writes).toHaveLength(0);
  calls[0]?.();
  await settle();
  expect(writes.map(({ chunks }) => chunks[0]?.topics.length)).toEqual([3]);
  recorder.take(entry('y'));
  expect(calls).toHaveLength(2);
  writes[0]?.end.resolve();
  await settle();
  expect(stored()).toMatchObject({ received: 1, sent: 1, unsent: 1, bytes: 12, lost: 0, done: false });
  expect(recorder.written.value).toBe(stored());
});

it('writes the rest when stopped, and records nothing more', async () => {
  const { recorder, calls, writes, settle, stored } = setUp();
  recorder.take(entry('x'));
  const stopped = recorder.stop();
  recorder.take(entry('too late'));
  await settle();
  writes[0]?.end.resolve();
  await stopped;
  expect(stored()).toMatchObject({ received: 1, done: true });
  calls[0]?.();
  await recorder.stop();
  expect(writes).toHaveLength(1);
});

it('counts messages that arrive faster than they can be written', async () => {
  const { recorder, calls, writes, settle, stored } = setUp({ messages: 2, bytes: 10_000 });
  for (let n = 0; n < 5; n++) recorder.take(entry('x'));
  calls[0]?.();
  await settle();
  writes[0]?.end.resolve();
  await settle();
  expect(stored()).toMatchObject({ received: 2, lost: 3 });
  recorder.take(entry(new Uint8Array(20_000)));
  calls[1]?.();
  await settle();
  expect(writes[1]?.chunks).toEqual([]);
  writes[1]?.end.resolve();
  await settle();
  expect(stored()).toMatchObject({ received: 2, lost: 4 });
});

it('marks a message that was not sent, if known in time', async () => {
  const { recorder, writes, settle, stored } = setUp();
  const sent = entry('x', {}, 'sent');
  recorder.take(sent);
  sent.unsent = true;
  const stopped = recorder.stop();
  await settle();
  writes[0]?.end.resolve();
  await stopped;
  expect(stored()).toMatchObject({ sent: 0, unsent: 1 });
});

it.each([false, true])('reports once why writing failed (stopped: %s)', async (stop) => {
  const { recorder, calls, writes, reasons, settle } = setUp();
  recorder.take(entry('x'));
  if (stop) void recorder.stop();
  else calls[0]?.();
  await settle();
  if (!stop) recorder.take(entry('y'));
  writes[0]?.end.reject(new DOMException('full', 'QuotaExceededError'));
  await settle();
  expect(reasons).toEqual([expect.stringMatching(/^no room is left: /)]);
  expect(recorder.written.value.lost).toBe(stop ? 1 : 2);
  recorder.take(entry('z'));
  await recorder.flush();
  expect(writes).toHaveLength(1);
});
