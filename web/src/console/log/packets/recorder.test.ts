import { signal } from '@preact/signals';
import { expect, test, vi } from 'vitest';
import type { Client } from '../../../client';
import type { Packet } from '../../../client/packet';
import { fakeTiming } from '../testing';
import { createPacketLog } from './packet-log';
import { createRecorder } from './recorder';
import { packet } from './testing';

function fakeClient() {
  const listeners = new Map<string, (packet: Packet) => void>();
  const client = {
    on: (event: string, listener: (packet: Packet) => void) => {
      listeners.set(event, listener);
      return client;
    },
    off: (event: string) => {
      listeners.delete(event);
      return client;
    },
    setPacketEvents: vi.fn(async (_on: boolean) => {}),
    tell: (event: string) => listeners.get(event)?.(packet(0xc0)),
  };
  return client as unknown as Client & typeof client;
}

test('the switch controls packet events of the current client and the next', () => {
  const client = signal<Client | undefined>(undefined);
  const { shown, timing } = fakeTiming();
  const log = createPacketLog(shown, timing);
  const { on, dispose } = createRecorder({ client, packetEvents: signal(false) }, log);
  const first = fakeClient();
  client.value = first;
  first.tell('packetsend');
  expect(first.setPacketEvents).not.toHaveBeenCalled();
  on.value = true;
  expect(first.setPacketEvents).toHaveBeenLastCalledWith(true);
  first.tell('packetsend');
  first.tell('packetreceive');
  expect([...log.kept()].map(({ sent }) => sent)).toEqual([true, false]);

  const second = fakeClient();
  client.value = second;
  expect(first.setPacketEvents).toHaveBeenLastCalledWith(false);
  first.tell('packetsend');
  second.tell('packetsend');
  expect([...log.kept()]).toHaveLength(3);
  on.value = false;
  expect(second.setPacketEvents).toHaveBeenLastCalledWith(false);
  second.tell('packetsend');
  expect([...log.kept()]).toHaveLength(3);

  on.value = true;
  dispose();
  expect(second.setPacketEvents).toHaveBeenLastCalledWith(false);
  second.tell('packetsend');
  expect([...log.kept()]).toHaveLength(3);
});

test('what a client that was left cannot do is not told of the next one', async () => {
  const [left, next] = [fakeClient(), fakeClient()];
  let fail = (_: Error) => {};
  left.setPacketEvents.mockImplementationOnce(
    () =>
      new Promise((_, reject) => {
        fail = reject;
      }),
  );
  const { shown, timing } = fakeTiming();
  const client = signal<Client | undefined>(left);
  const { problem } = createRecorder({ client, packetEvents: signal(true) }, createPacketLog(shown, timing));
  client.value = next;
  fail(new Error('it has ended'));
  await new Promise((resolve) => setTimeout(resolve));
  expect(problem.value).toBe('');
});

test('a client that cannot tell says why', async () => {
  const client = fakeClient();
  client.setPacketEvents.mockRejectedValue(new Error('crashed'));
  const { shown, timing } = fakeTiming();
  const source = { client: signal<Client | undefined>(client), packetEvents: signal(false) };
  const { on, problem } = createRecorder(source, createPacketLog(shown, timing));
  on.value = true;
  await vi.waitFor(() => expect(problem.value).toBe('crashed'));
});
