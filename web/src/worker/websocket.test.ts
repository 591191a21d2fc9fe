import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ScriptedSocket } from './testing-socket';
import { closeTimeout, createSocketClass, flushLimit, type GoSocket } from './websocket';

const OPEN = 1;
const CLOSED = 3;

let tasks: (() => void)[];

/** Runs the tasks due now, but not those that they post. */
function runTask(): void {
  for (const task of tasks.splice(0)) task();
}

function runTasks(): void {
  while (tasks.length > 0) runTask();
}

function dial({ reads = true, copies = false } = {}) {
  const Socket = createSocketClass(ScriptedSocket as unknown as typeof WebSocket, {
    copies,
    schedule: (task) => tasks.push(task),
  });
  const socket = new Socket('ws://broker.test/mqtt', ['mqtt']);
  const seen: unknown[] = [];
  socket.addEventListener('open', () => seen.push('open'));
  socket.addEventListener('message', (event) => {
    const { data } = event as MessageEvent<ArrayBuffer | string>;
    if (typeof data === 'string') seen.push(data);
    else if (reads) seen.push([...new Uint8Array(data), ...readAll(socket)]);
  });
  socket.addEventListener('error', (event) => seen.push(`error: ${(event as ErrorEvent).message}`));
  socket.addEventListener('close', (event) => {
    const { code, reason, wasClean } = event as CloseEvent;
    seen.push({ code, reason, wasClean });
  });
  return { socket, native: ScriptedSocket.all.at(-1) as ScriptedSocket, seen };
}

/** What Go reads after a notification. */
function readAll(socket: GoSocket, limit = 65_536): number[] {
  const all: number[] = [];
  const target = new Uint8Array(limit);
  for (let length = limit; length === limit; ) {
    length = socket.readInto(target, limit);
    for (const byte of target.subarray(0, length)) all.push(byte);
  }
  return all;
}

function dialOpen(options = {}) {
  const dialled = dial(options);
  dialled.native.open();
  dialled.seen.length = 0;
  return dialled;
}

beforeEach(() => {
  tasks = [];
  ScriptedSocket.all = [];
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test('dials with the given protocols, for binary frames, and reports the one selected', () => {
  const { socket, native, seen } = dial();
  native.open();
  expect(native.url).toBe('ws://broker.test/mqtt');
  expect(native.protocols).toEqual(['mqtt']);
  expect(native.binaryType).toBe('arraybuffer');
  expect(socket.protocol).toBe('mqtt');
  expect(socket.readyState).toBe(OPEN);
  expect(seen).toEqual(['open']);
});

test('frames that arrive in one task are one message', () => {
  const { native, seen } = dialOpen();
  native.receive([1, 2]);
  native.receive([]);
  native.receive([3]);
  expect(seen).toEqual([]);
  expect(tasks).toHaveLength(1);
  runTasks();
  expect(seen).toEqual([[1, 2, 3]]);
});

test('an error without a close event counts as closed', () => {
  const { native, seen } = dial();
  native.readyState = CLOSED;
  native.fail('forbidden');
  vi.runAllTimers();
  runTasks();
  expect(seen).toEqual([{ code: 1006, reason: '', wasClean: false }]);
});

test('an error without a close event counts as closed, also if the state follows later, as in WebKit', () => {
  const { native, seen } = dial();
  native.fail('forbidden');
  native.readyState = CLOSED;
  vi.runAllTimers();
  runTasks();
  expect(seen).toEqual([{ code: 1006, reason: '', wasClean: false }]);
});

test('a flood is delivered in several tasks, complete and in order', () => {
  const { native, seen } = dialOpen();
  const frame = new Array(flushLimit / 2).fill(7);
  for (let count = 0; count < 5; count++) native.receive(frame);
  runTask();
  expect(seen).toHaveLength(1);
  runTasks();
  expect(seen.map((data) => (data as number[]).length)).toEqual([flushLimit, flushLimit, flushLimit / 2]);
});

test('one frame over the limit is still delivered', () => {
  const { native, seen } = dialOpen();
  native.receive(new Array(flushLimit + 1).fill(7));
  native.receive([8]);
  runTasks();
  expect(seen.map((data) => (data as number[]).length)).toEqual([flushLimit + 1, 1]);
});

test('a text frame stays a string, after earlier frames, and is the last', () => {
  const { native, seen } = dialOpen();
  native.receive([1]);
  native.receive([2]);
  native.receive('text');
  native.receive([3]);
  native.receive('more');
  native.end(1000);
  runTasks();
  expect(seen).toEqual([[1, 2], 'text', { code: 1000, reason: '', wasClean: true }]);
});

test('Go is notified by an empty frame, once for all frames in one task', () => {
  const { socket, native } = dialOpen({ reads: false });
  const told: unknown[] = [];
  socket.addEventListener('message', (event) => told.push((event as MessageEvent).data));
  for (const frame of [[], [1, 2, 3], [], [4]]) native.receive(frame);
  runTasks();
  expect(told).toEqual([new ArrayBuffer(0)]);
  native.receive([]);
  runTasks();
  expect(told).toHaveLength(1);
  native.receive([5]);
  runTasks();
  expect(told).toHaveLength(2);
  expect(readAll(socket)).toEqual([1, 2, 3, 4, 5]);
});

test.each([1, 2, 3, 4, 8, 100])('frames form a stream, read %i bytes at a time', (limit) => {
  const { socket, native } = dialOpen({ reads: false });
  const frames = [[1], [2, 3, 4], [5, 6, 7, 8, 9, 10, 11, 12], [13, 14], [15, 16]];
  for (const frame of frames) native.receive(frame);
  runTasks();
  expect(readAll(socket, limit)).toEqual(frames.flat());
});

test('unread data does not affect later frames', () => {
  const { socket, native } = dialOpen({ reads: false });
  const target = new Uint8Array(4).fill(9);
  expect(socket.readInto(target, 4)).toBe(0);
  native.receive([1, 2, 3]);
  runTasks();
  expect(socket.readInto(target, 2)).toBe(2);
  native.receive([4]);
  expect(socket.readInto(target, 4)).toBe(1); // it does not read from a frame before its notification
  expect(target).toEqual(new Uint8Array([3, 2, 9, 9]));
  runTasks();
  native.receive([5, 6]);
  runTasks();
  expect(readAll(socket)).toEqual([4, 5, 6]);
});

test('a message and the following close are delivered in separate tasks', () => {
  const { socket, native, seen } = dialOpen();
  native.receive([0xe0, 2, 0x8b, 0]);
  native.end(1001, 'bye');
  runTask();
  expect(seen).toEqual([[0xe0, 2, 0x8b, 0]]);
  runTask();
  expect(seen.at(-1)).toEqual({ code: 1001, reason: 'bye', wasClean: true });
  expect(socket.readyState).toBe(CLOSED);
});

test('the close waits for every task of a flood', () => {
  const { native, seen } = dialOpen();
  for (let count = 0; count < 3; count++) native.receive(new Array(flushLimit).fill(count));
  native.end(1000);
  runTasks();
  expect(seen).toHaveLength(4);
  expect(seen.at(-1)).toMatchObject({ code: 1000 });
});

test.each([
  [1000, 1000],
  [1001, 4001],
  [1003, 4003],
  [1008, 4008],
  [1009, 4009],
  [1011, 4011],
  [3000, 3000],
  [4999, 4999],
  [0, 1000],
  [5000, 1000],
])('close(%i) closes with %i', (code, sent) => {
  const { socket, native } = dialOpen();
  socket.close(code, 'why');
  expect(native.closes).toEqual([[sent, 'why']]);
});

test('a reason over 123 bytes is truncated between characters', () => {
  const { socket, native } = dialOpen();
  socket.close(1000, '的'.repeat(100));
  expect(native.closes).toEqual([[1000, '的'.repeat(41)]]);
});

test('a close without a reply from the peer ends after a second', () => {
  const { socket, native, seen } = dialOpen();
  socket.close(1000);
  vi.advanceTimersByTime(closeTimeout - 1);
  runTasks();
  expect(seen).toEqual([]);
  vi.advanceTimersByTime(1);
  runTasks();
  expect(seen).toEqual([{ code: 1006, reason: '', wasClean: false }]);
  expect(socket.readyState).toBe(CLOSED);

  native.receive([1]);
  native.end(1000);
  runTasks();
  expect(seen).toHaveLength(1);
});

test('a close with a reply is reported once, with its code', () => {
  const { socket, native, seen } = dialOpen();
  socket.close(1000);
  socket.close(1011);
  native.end(1000, 'bye');
  runTasks();
  vi.advanceTimersByTime(closeTimeout);
  runTasks();
  expect(native.closes).toHaveLength(1);
  expect(seen).toEqual([{ code: 1000, reason: 'bye', wasClean: true }]);
});

test('closed while connecting, it never opens', () => {
  const { socket, native, seen } = dial();
  socket.close(1008, 'dial timed out');
  native.open();
  expect(native.closes).toHaveLength(2);
  expect(seen).toEqual([]);
});

test('a connection that opens after it was abandoned is closed', () => {
  const { socket, native, seen } = dial();
  socket.close(1008, 'dial timed out');
  vi.advanceTimersByTime(closeTimeout);
  runTasks();
  native.open();
  expect(native.closes).toHaveLength(2);
  expect(seen).toEqual([{ code: 1006, reason: '', wasClean: false }]);
});

test('an error is not reported, only the close that follows', () => {
  const { native, seen } = dialOpen();
  native.receive([1]);
  native.fail('self-signed certificate');
  native.end(1006, '', false);
  runTasks();
  expect(seen).toEqual([[1], { code: 1006, reason: '', wasClean: false }]);
});

test('no error after close(), only the close', () => {
  const { socket, native, seen } = dialOpen();
  socket.close(1000);
  native.fail('closed before it was established');
  native.end(1006, '', false);
  runTasks();
  expect(seen).toEqual([{ code: 1006, reason: '', wasClean: false }]);
});

test('no error after close() called between the failure and its report', () => {
  const { socket, native, seen } = dialOpen();
  native.fail('broken');
  native.end(1006, '', false);
  socket.close(1000);
  runTasks();
  expect(native.closes).toEqual([]);
  expect(seen).toEqual([{ code: 1006, reason: '', wasClean: false }]);
});

test('reports the number of bytes waiting to be sent', () => {
  const { socket, native } = dialOpen();
  native.bufferedAmount = 12;
  expect(socket.bufferedAmount).toBe(12);
});

test('sends while open, and throws afterwards', () => {
  const { socket, native } = dialOpen();
  socket.send(new Uint8Array([1]));
  expect(native.sent).toEqual([new Uint8Array([1])]);
  socket.close(1000);
  expect(() => socket.send(new Uint8Array([2]))).toThrow('not open');
  expect(native.sent).toHaveLength(1);
});

test('what the browser would discard, since it has closed the connection, fails at once', () => {
  const { socket, native, seen } = dialOpen();
  native.receive([1]);
  native.end(1006, '', false);
  expect(() => socket.sendFrom(new Uint8Array([2]), 1)).toThrow('not open');
  expect(native.sent).toEqual([]);
  runTasks();
  expect(seen).toEqual([[1], { code: 1006, reason: '', wasClean: false }]);
});

test.each([true, false])(
  'sends the original bytes of an array that changes later (native copies: %s)',
  (copies) => {
    const { socket, native } = dialOpen({ copies });
    const source = new Uint8Array([1, 2, 3]);
    socket.sendFrom(source, 2);
    const [sent] = native.sent as Uint8Array[];
    expect(sent).toEqual(new Uint8Array([1, 2]));
    source.fill(9);
    expect(sent).toEqual(new Uint8Array(copies ? [9, 9] : [1, 2]));
    socket.close(1000);
    expect(() => socket.sendFrom(source, 1)).toThrow('not open');
  },
);
