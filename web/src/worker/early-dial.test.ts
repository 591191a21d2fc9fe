import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { BoundaryOptions } from '../protocol/boundary';
import type { Question } from '../protocol/messages';
import { createEarlyDials, patience } from './early-dial';
import { ScriptedSocket } from './testing-socket';
import { createSocketClass } from './websocket';

const url = 'ws://broker.test/mqtt';

/** A worker whose program is loading, and which then dials. */
function loading(Native: object = ScriptedSocket) {
  const { begin, drop, dial } = createEarlyDials(Native as typeof WebSocket);
  const Socket = createSocketClass(Native as typeof WebSocket, {
    dial,
    schedule: (task) => tasks.push(task),
  });
  return {
    drop,
    connect: (id: number, options: Partial<BoundaryOptions> = {}, asks: Question['kind'][] = []) =>
      begin({ type: 'connect', id, client: id, options: { url, ...options }, asks }),
    /** Adds listeners after construction, as the Go program does. */
    dial(to = url, protocols: string | string[] = ['mqtt']) {
      const socket = new Socket(to, protocols);
      const seen: unknown[] = [];
      socket.addEventListener('open', () => seen.push('open'));
      socket.addEventListener('message', () => {
        const bytes = new Uint8Array(8);
        seen.push([...bytes.subarray(0, socket.readInto(bytes, 8))]);
      });
      socket.addEventListener('close', (event) => seen.push((event as CloseEvent).code));
      return { socket, seen };
    },
  };
}

let tasks: (() => void)[];

/** Runs everything that is due. */
async function settle(): Promise<void> {
  await Promise.resolve();
  for (let task = tasks.shift(); task; task = tasks.shift()) task();
}

const natives = () => ScriptedSocket.all;
const native = (index = 0) => natives()[index] as ScriptedSocket;

beforeEach(() => {
  tasks = [];
  ScriptedSocket.all = [];
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test('the program finds an open WebSocket for MQTT, with nothing sent on it', async () => {
  const { connect, dial } = loading();
  connect(1);
  expect(native()).toMatchObject({ url, protocols: 'mqtt', binaryType: 'arraybuffer' });
  native().open();
  const { socket, seen } = dial();
  expect([socket.readyState, seen]).toEqual([0, []]);
  await settle();
  expect([socket.readyState, seen, native().sent]).toEqual([1, ['open'], []]);
  expect(natives()).toHaveLength(1);
});

test('no event is dispatched twice, which WebKit at times refuses', async () => {
  const { connect, dial } = loading();
  connect(1);
  native().open();
  native().dispatchEvent = () => {
    throw new DOMException('The object is in an invalid state.', 'InvalidStateError');
  };
  const { seen } = dial();
  await settle();
  expect(seen).toEqual(['open']);
});

test('a WebSocket still connecting when the program dials opens for it', async () => {
  const { connect, dial } = loading();
  connect(1);
  const { seen } = dial();
  await settle();
  expect(seen).toEqual([]);
  native().open();
  expect(seen).toEqual(['open']);
  expect(natives()).toHaveLength(1);
});

test('frames received before the program dials are kept, in order', async () => {
  const { connect, dial } = loading();
  connect(1);
  native().open();
  native().receive([1]);
  native().receive([2, 3]);
  const { seen } = dial();
  await settle();
  native().receive([4]);
  native().end(1001);
  await settle();
  expect(seen).toEqual(['open', [1, 2, 3], [4], 1001]);
});

test('a failure fails one dial, and the next opens a new WebSocket', async () => {
  const { connect, dial } = loading();
  connect(1);
  native().fail();
  native().end(1006, '', false);
  const { seen } = dial();
  await settle();
  expect(seen).toEqual([1006]);
  expect(natives()).toHaveLength(1);
  dial();
  expect(natives()).toHaveLength(2);
});

test('a failure without a close event is reported with one', async () => {
  const { connect, dial } = loading();
  connect(1);
  native().readyState = 3;
  native().fail();
  const { seen } = dial();
  await settle();
  vi.advanceTimersByTime(0);
  await settle();
  expect(seen).toEqual([1006]);
});

test('a WebSocket that has closed in the meantime is replaced', async () => {
  const { connect, dial } = loading();
  connect(1);
  native().open();
  native().end(1000);
  const { seen } = dial();
  await settle();
  expect(seen).toEqual([]);
  native(1).open();
  expect(seen).toEqual(['open']);
});

test('a WebSocket never used is closed, and the next dial opens a new one', () => {
  const { connect, dial } = loading();
  connect(1);
  native().open();
  vi.advanceTimersByTime(patience - 1);
  expect(native().closes).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(native().closes).toHaveLength(1);
  dial();
  expect(natives()).toHaveLength(2);
});

test('a WebSocket in use stays open', () => {
  const { connect, dial, drop } = loading();
  connect(1);
  native().open();
  dial();
  vi.advanceTimersByTime(patience);
  drop(1);
  expect(native().closes).toEqual([]);
});

test('a WebSocket whose client has given up is closed, and no other', () => {
  const { connect, drop, dial } = loading();
  connect(1);
  connect(2);
  drop(1);
  expect(natives().map(({ closes }) => closes.length)).toEqual([1, 0]);
  dial();
  expect(natives()).toHaveLength(2);
});

test('two clients have separate WebSockets', async () => {
  const { connect, dial } = loading();
  connect(1);
  connect(2);
  connect(3, { url: 'ws://other.test/mqtt' });
  const dialled = [dial('ws://other.test/mqtt'), dial(), dial()];
  expect(natives()).toHaveLength(3);
  for (const each of natives()) each.open();
  expect(dialled.map(({ socket }) => socket.url)).toEqual(['ws://other.test/mqtt', url, url]);
  expect(dialled.map(({ seen }) => seen)).toEqual([['open'], ['open'], ['open']]);
});

test.each([
  ['address', 'ws://broker.test/other', ['mqtt']],
  ['subprotocol', url, ['mqttv3.1']],
])('a dial with another %s opens a new WebSocket', (_, to, protocols) => {
  const { connect, dial } = loading();
  connect(1);
  dial(to, protocols);
  expect(native(1)).toMatchObject({ url: to, protocols });
});

test.each([
  ['has several addresses', { servers: ['ws://second.test/mqtt'] }, []],
  ['asks for its address', {}, ['attempt']],
  ['asks for its authentication', {}, ['authenticate']],
] as [string, Partial<BoundaryOptions>, Question['kind'][]][])(
  'a client that %s is not dialled for',
  (_, options, asks) => {
    const { connect } = loading();
    connect(1, options, asks);
    expect(natives()).toEqual([]);
  },
);

test('an error from the WebSocket constructor is thrown when the program dials', () => {
  const { connect, dial } = loading(
    class {
      constructor() {
        throw new Error('SecurityError');
      }
    },
  );
  connect(1);
  expect(() => dial()).toThrow('SecurityError');
});
