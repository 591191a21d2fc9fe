import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Machinery } from './fleet-run';
import { made, pass } from './testing-fleet';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the end', () => {
  test('stop sends no more, waits for messages in flight, and disconnects all devices', async () => {
    const { fleet, rules, published, open, ended } = made({ devices: '3', rate: '10', ramp: '500' });
    rules.deliver = () => ({ times: 0, hold: true });
    await fleet.start();
    await pass(500);
    const before = published.length;
    fleet.stop();
    await pass(1000);
    expect(published).toHaveLength(before);
    expect(fleet.figures()).toMatchObject({ phase: 'stopping', connected: 3 });
    await pass(30_000);
    expect(fleet.figures()).toMatchObject({ phase: 'ended', connected: 0 });
    expect(open.size).toBe(0);
    expect(ended.sort()).toEqual(['fleet-t-0', 'fleet-t-1', 'fleet-t-2', 'fleet-t-3']);
    expect(fleet.figures().byQoS[1]).toMatchObject({ failed: before, lost: 0 });
  });

  test('messages that never arrive are awaited for a while, then lost', async () => {
    const { fleet, rules } = made({ devices: '1', rate: '10', duration: '1' });
    rules.deliver = () => ({ times: 0 });
    await fleet.start();
    await pass(1500);
    expect(fleet.figures()).toMatchObject({ phase: 'stopping' });
    await pass(4000);
    const [, one] = fleet.figures().byQoS;
    expect(fleet.figures().phase).toBe('ended');
    expect(one).toMatchObject({ acknowledged: one?.sent, received: 0, lost: one?.sent });
  });

  test('pending wills are awaited, too', async () => {
    const { fleet, rules } = made({ devices: '1', rate: '10', willTopic: 'gone/{{device}}' });
    let deliver = (): void => {};
    rules.will = (will) => {
      deliver = will;
    };
    await fleet.start();
    await pass(500);
    fleet.cutAll();
    fleet.stop();
    await pass(500);
    expect(fleet.figures()).toMatchObject({ phase: 'stopping', wills: 0 });
    deliver();
    await pass(50);
    expect(fleet.figures()).toMatchObject({ phase: 'ended', wills: 1 });
  });

  test('messages not awaited are not counted as lost', async () => {
    const { fleet, rules } = made({ devices: '1', rate: '10' });
    rules.deliver = () => ({ times: 0 });
    await fleet.start();
    await pass(1500);
    await fleet.finish();
    const [, one] = fleet.figures().byQoS;
    expect(one?.sent).toBeGreaterThan(5);
    expect(one).toMatchObject({ acknowledged: one?.sent, lost: 0, onTheWay: one?.sent });
  });

  /** The broker accepts no connection until `accept` is called. */
  function gateOf(dial: ReturnType<typeof made>['dial']): { accept(): void } {
    let accept = (): void => {};
    const gate = new Promise<void>((resolve) => {
      accept = resolve;
    });
    const real = dial.getMockImplementation() as Machinery['dial'];
    dial.mockImplementation((options) => gate.then(() => real(options)));
    return { accept };
  }

  test('devices that are connecting at the stop are awaited, and disconnect', async () => {
    const { fleet, ended, dial } = made({ devices: '2' });
    await fleet.start();
    const { accept } = gateOf(dial);
    await pass(100);
    fleet.stop();
    await pass(500);
    expect(fleet.figures()).toMatchObject({ phase: 'stopping', connecting: 2 });
    accept();
    await pass(50);
    expect(fleet.figures()).toMatchObject({ phase: 'ended', connecting: 0 });
    expect(ended.sort()).toEqual(['fleet-t-0', 'fleet-t-1', 'fleet-t-2']);
  });

  test('finish does not wait, even while devices connect', async () => {
    const { fleet, rules, open, dial } = made({ devices: '2' });
    await fleet.start();
    const { accept } = gateOf(dial);
    rules.deliver = () => ({ times: 0, hold: true });
    await pass(100);
    expect(fleet.figures()).toMatchObject({ connecting: 2 });
    await fleet.finish();
    expect(fleet.figures().phase).toBe('ended');
    accept();
    await pass(10);
    expect(open.size).toBe(0);
  });
});
