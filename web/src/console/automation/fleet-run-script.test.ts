import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Asked } from './protocol';
import { made, pass } from './testing-fleet';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('messages from a script', () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const script = { by: 'script', filter: 'f/+/made' };

  test('are requested when due, with the device and its clock, and counted like others', async () => {
    const asked: Asked[] = [];
    /** Per device, the error of its clock. */
    const off = new Set<string>();
    const { fleet, published } = made(
      {
        ...script,
        devices: '3',
        rate: '5',
        duration: '4',
        qos: 'mixed',
        skew: '100',
        clientId: 'd{{device}}',
      },
      {},
      (about) => {
        asked.push(about);
        off.add(`${about.number}: ${about.now - Date.now()}`);
        return { topic: `f/${about.number}/made`, payload: bytes(`${about.id} ${about.n}`) };
      },
    );
    await fleet.start();
    await pass(8000);
    const figures = fleet.figures();
    expect(figures).toMatchObject({ phase: 'ended', problems: [], skipped: 0 });
    expect(published.length).toBeGreaterThan(40);
    expect(asked).toHaveLength(published.length);
    const second = published.filter(({ clientId }) => clientId === 'd2');
    expect(second.slice(0, 2).map(({ topic, payload }) => [topic, payload])).toEqual([
      ['f/2/made', 'd2 1'],
      ['f/2/made', 'd2 2'],
    ]);
    for (const { qos, ...counts } of figures.byQoS) {
      const sent = published.filter((message) => message.qos === qos).length;
      expect(counts).toMatchObject({ sent, acknowledged: sent, received: sent, lost: 0, onTheWay: 0 });
    }
    expect(off.size).toBe(3);
    expect(new Set([...off].map((one) => one.split(': ')[1])).size).toBe(3);
  });

  test('lost ones are counted', async () => {
    const { fleet, published, rules } = made(
      { ...script, devices: '2', rate: '10', duration: '5' },
      {},
      () => {
        return { topic: 'f/x/made', payload: bytes('y') };
      },
    );
    let n = 0;
    rules.deliver = () => ({ times: Number(n++ % 5 > 0) });
    await fleet.start();
    await pass(10_000);
    expect(fleet.figures().byQoS[1]).toMatchObject({ lost: Math.ceil(published.length / 5), duplicates: 0 });
  });

  test('a script that ends stops the fleet, and messages in flight are awaited and counted', async () => {
    let left = 7;
    const { fleet, published, open } = made({ ...script, devices: '5', rate: '10' }, {}, () =>
      left-- > 0 ? { topic: 'f/x/made', payload: bytes('y') } : undefined,
    );
    await fleet.start();
    await pass(3000);
    expect(published).toHaveLength(7);
    expect(left).toBe(-1);
    expect(open.size).toBe(0);
    const figures = fleet.figures();
    expect(figures.phase).toBe('ended');
    expect(figures.byQoS[1]).toMatchObject({ sent: 7, acknowledged: 7, received: 7, lost: 0, failed: 0 });
  });

  test('a script that ends before the start connects no device', async () => {
    const { fleet, dialled } = made(script, {}, () => undefined);
    fleet.stop();
    await fleet.start();
    await pass(100);
    expect(dialled).toHaveLength(0);
    expect(fleet.figures().phase).toBe('ended');
  });

  test('messages over the limit of bytes a second are skipped', async () => {
    const payload = new Uint8Array(64 << 10);
    const { fleet, published } = made({ ...script, devices: '20', rate: '20', ramp: '500' }, {}, () => {
      return { topic: 'f/x/made', payload };
    });
    await fleet.start();
    await pass(6000);
    const before = published.length;
    await pass(10_000);
    expect(published.length - before).toBe(10 * 128);
    expect(fleet.figures().skipped).toBeGreaterThan(1000);
  });

  test('a slow script leaves time for the sockets, and devices take turns', async () => {
    let spent = 0;
    const real = performance.now.bind(performance);
    const { fleet, published } = made({ ...script, devices: '10', rate: '10', ramp: '500' }, {}, () => {
      spent += 20;
      return { topic: 'f/x/made', payload: bytes('y') };
    });
    vi.spyOn(performance, 'now').mockImplementation(() => real() + spent);
    await fleet.start();
    let most = 0;
    for (let n = 0; n < 300; n++) {
      const before = spent;
      await pass(10);
      most = Math.max(most, spent - before);
    }
    expect(most).toBeGreaterThan(20);
    expect(most).toBeLessThanOrEqual(60);
    const of = (id: string) => published.filter(({ clientId }) => clientId === id).length;
    const counts = Array.from({ length: 10 }, (_, n) => of(`fleet-t-${n + 1}`));
    expect(Math.min(...counts)).toBeGreaterThan(Math.max(...counts) / 2);
    vi.restoreAllMocks();
  });
});
