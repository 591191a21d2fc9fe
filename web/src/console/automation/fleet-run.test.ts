import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { plainSettings } from '../session/settings';
import { made, pass } from './testing-fleet';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('devices', () => {
  test('connect one after the other, and publish from the templates at their rate', async () => {
    const { fleet, open, published } = made({
      devices: '5',
      ramp: '10',
      rate: '2',
      topic: 'f/{{device}}',
      payload: '{{device 2}} {{n}}',
      clientId: 'd{{device}}',
    });
    await fleet.start();
    await pass(50);
    expect([...open.keys()]).toEqual(['d0', 'd1']);
    await pass(450);
    expect([...open.keys()].sort()).toEqual(['d0', 'd1', 'd2', 'd3', 'd4', 'd5']);
    expect(fleet.figures()).toMatchObject({ phase: 'running', connected: 5, away: 0 });
    const before = published.length;
    await pass(10_000);
    expect(published.length - before).toBe(100);
    const third = published.filter(({ clientId }) => clientId === 'd3');
    expect(third.slice(0, 2).map(({ topic, payload }) => [topic, payload])).toEqual([
      ['f/3', '03 1'],
      ['f/3', '03 2'],
    ]);
    expect(fleet.figures().sentRate).toBeCloseTo(10, -1);
  });

  test('jitter shifts each message but keeps the rate', async () => {
    const { fleet, published } = made({ devices: '1', rate: '10', jitter: '50' });
    await fleet.start();
    await pass(60_000);
    const gaps = published.slice(1).map(({ at }, n) => at - (published[n]?.at ?? 0));
    expect(new Set(gaps).size).toBeGreaterThan(5);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(170);
    expect(published.length).toBeGreaterThan(540);
    expect(published.length).toBeLessThan(660);
  });

  test('each has its own clock', async () => {
    const { fleet, published } = made({ devices: '20', rate: '1', skew: '3600', payload: '{{now ms}}' });
    await fleet.start();
    await pass(3000);
    const off = new Map(published.map(({ clientId, payload }) => [clientId, Number(payload) - Date.now()]));
    const skews = [...off.values()];
    expect(off.size).toBe(20);
    expect(Math.max(...skews.map(Math.abs))).toBeLessThan(3_604_000);
    expect(Math.max(...skews) - Math.min(...skews)).toBeGreaterThan(600_000);
  });

  test('have the settings of the connection, except for their own', async () => {
    const { fleet, dialled } = made(
      { devices: '1', willTopic: 'gone/{{device}}', willPayload: 'bye {{device}}', willQos: '1' },
      {
        username: 'ann',
        password: 'secret',
        keepalive: '7',
        clientId: 'mine',
        store: true,
        shared: true,
        will: { ...plainSettings.will, topic: 'own/will' },
      },
    );
    await fleet.start();
    await pass(100);
    const [subscriber, device] = dialled;
    for (const options of dialled) {
      expect(options).toMatchObject({ username: 'ann', password: 'secret', keepalive: 7, clean: true });
      expect(options).not.toHaveProperty('store');
      expect(options).not.toHaveProperty('shared');
    }
    expect(subscriber?.will).toBeUndefined();
    expect(subscriber?.reconnectPeriod).toBe(1000);
    expect(device).toMatchObject({ clientId: 'fleet-t-1', reconnectPeriod: 0 });
    expect(device?.will).toMatchObject({ topic: 'gone/1', payload: 'bye 1', qos: 1, retain: false });
  });
});

describe('measurements', () => {
  test('with nothing lost, each message is acknowledged and received once', async () => {
    const { fleet, published } = made({ devices: '10', rate: '10', qos: 'mixed', duration: '5' });
    await fleet.start();
    await pass(6000);
    const figures = fleet.figures();
    expect(figures.phase).toBe('ended');
    expect(published.length).toBeGreaterThan(400);
    for (const { qos, ...counts } of figures.byQoS) {
      const sent = published.filter((message) => message.qos === qos).length;
      const right = {
        sent,
        acknowledged: sent,
        received: sent,
        onTheWay: 0,
        failed: 0,
        lost: 0,
        duplicates: 0,
        late: 0,
      };
      expect(counts).toEqual(right);
    }
    expect(figures.p50).toBeLessThan(1);
    expect(figures.problems).toEqual([]);
  });

  test('messages that the broker loses or repeats are counted by QoS', async () => {
    const { fleet, published, rules } = made({ devices: '4', rate: '10', qos: 'mixed', duration: '10' });
    let n = 0;
    rules.deliver = ({ qos }) => ({ times: qos === 0 ? Number(n++ % 4 > 0) : qos === 1 ? 2 : 1 });
    await fleet.start();
    await pass(15_000);
    const [zero, one, two] = fleet.figures().byQoS;
    const count = (qos: number) => published.filter((message) => message.qos === qos).length;
    expect(zero).toMatchObject({ lost: Math.ceil(count(0) / 4), duplicates: 0 });
    expect(one).toMatchObject({ lost: 0, duplicates: count(1), received: count(1) });
    expect(two).toMatchObject({ lost: 0, duplicates: 0, received: count(2) });
  });

  test('messages of other clients on the same topics are ignored', async () => {
    const { fleet, deliver, published } = made({ devices: '1', rate: '1', topic: 'f/{{device}}' });
    await fleet.start();
    await pass(2000);
    const before = fleet.figures().byQoS;
    const real = published[0]?.mark ?? '';
    for (const mark of [
      '',
      'run1',
      real.replace('run1', 'run2'),
      'run1 1 99 1 0',
      'run1 9 1 1 0',
      'run1 1 1 9999 0',
    ]) {
      deliver({ clientId: 'x', topic: 'f/1', payload: 'x', qos: 1, mark, at: 0 });
    }
    expect(fleet.figures().byQoS).toEqual(before);
  });

  test('refused publishes are counted by reason, and not as lost', async () => {
    const { fleet, rules } = made({ devices: '2', rate: '5', duration: '4' });
    rules.deliver = () => ({ times: 0, error: { code: 'refused', message: 'quota', reasonCode: 0x97 } });
    await fleet.start();
    await pass(8000);
    const { byQoS, problems } = fleet.figures();
    const sent = byQoS[1]?.sent ?? 0;
    expect(sent).toBeGreaterThan(20);
    expect(byQoS[1]).toMatchObject({ acknowledged: 0, failed: sent, lost: 0 });
    expect(problems).toMatchObject([{ kind: 'publish', failure: { reasonCode: 0x97 }, count: sent }]);
  });

  test('with a broker that acknowledges nothing, messages per device are bounded', async () => {
    const { fleet, rules, published } = made({ devices: '2', rate: '100' });
    rules.deliver = () => ({ times: 1, hold: true });
    await fleet.start();
    await pass(5000);
    expect(published).toHaveLength(200);
    expect(fleet.figures().skipped).toBeGreaterThan(500);
  });

  test('a subscriber far behind pauses sending', async () => {
    const { fleet, rules, published } = made({ devices: '50', rate: '20' });
    rules.deliver = () => ({ times: 0 });
    await fleet.start();
    await pass(5000);
    expect(published).toHaveLength(1000);
    expect(fleet.figures().byQoS[1]).toMatchObject({ acknowledged: 1000, onTheWay: 1000, lost: 0 });
    expect(fleet.figures().skipped).toBeGreaterThan(1000);
  });

  test('after the page has slept, messages due meanwhile are skipped', async () => {
    const { fleet, published } = made({ devices: '1', rate: '10' });
    await fleet.start();
    await pass(2000);
    const before = published.length;
    vi.setSystemTime(Date.now());
    const late = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 60_000);
    fleet.tick();
    late.mockRestore();
    expect(published.length - before).toBeLessThan(3);
    expect(fleet.figures().skipped).toBeGreaterThan(550);
  });

  test('without a subscriber acks are counted instead', async () => {
    const { fleet, dialled } = made({ devices: '1', rate: '5', duration: '3', measure: false });
    await fleet.start();
    await pass(5000);
    expect(dialled).toHaveLength(1);
    const figures = fleet.figures();
    expect(figures).toMatchObject({ phase: 'ended', p50: undefined });
    expect(figures.byQoS[1]).toMatchObject({ received: 0, lost: 0, failed: 0 });
    expect(figures.byQoS[1]?.acknowledged).toBeGreaterThan(10);
  });
});

describe('trouble', () => {
  test('a device drops out without DISCONNECT and comes back; its will is counted', async () => {
    const { fleet, ended, dialled } = made({
      devices: '20',
      rate: '1',
      dropOuts: '6',
      away: '2',
      willTopic: 'gone/{{device}}',
    });
    await fleet.start();
    await pass(30_000);
    const { dropOuts, wills, byQoS, problems } = fleet.figures();
    expect(dropOuts).toBeGreaterThan(20);
    expect(wills).toBe(dropOuts);
    expect(dialled.length).toBeGreaterThan(20 + dropOuts - 15);
    expect(byQoS[1]).toMatchObject({ lost: 0, duplicates: 0 });
    expect(problems).toEqual([]);
    expect(ended).not.toContain('fleet-t-0');
  });

  test('a storm disconnects all devices at once, and the time to reconnect is measured', async () => {
    const { fleet, dialled, open } = made({ devices: '50', rate: '1', ramp: '500' });
    await fleet.start();
    await pass(1000);
    expect(dialled).toHaveLength(51);
    fleet.cutAll();
    expect(fleet.figures()).toMatchObject({
      connected: 0,
      storms: 1,
      lastStorm: { devices: 50, took: undefined },
    });
    await pass(20);
    expect(dialled).toHaveLength(101);
    expect(open.size).toBe(51);
    expect(fleet.figures()).toMatchObject({ connected: 50, lastStorm: { devices: 50 } });
    expect(fleet.figures().lastStorm?.took).toBeLessThan(50);
  });

  test('storms recur if requested', async () => {
    const { fleet } = made({ devices: '3', storm: '5' });
    await fleet.start();
    await pass(16_000);
    expect(fleet.figures()).toMatchObject({ storms: 3, connected: 3 });
  });

  test('a connection ended by the broker is counted by reason, and retried', async () => {
    const { fleet, open } = made({ devices: '3' });
    await fleet.start();
    await pass(200);
    open.get('fleet-t-2')?.end({ code: 'network', message: 'broken', closeCode: 1006 });
    expect(fleet.figures()).toMatchObject({ connected: 2, away: 1 });
    expect(fleet.figures().problems).toMatchObject([
      { kind: 'lost', failure: { closeCode: 1006 }, count: 1 },
    ]);
    await pass(1100);
    expect(fleet.figures()).toMatchObject({ connected: 3 });
  });

  test('a busy broker is retried with back-off', async () => {
    const { fleet, dialled, rules } = made({ devices: '10' });
    rules.refuse = ({ clientId }) =>
      clientId === 'fleet-t-0' ? undefined : { code: 'refused', message: 'busy', reasonCode: 0x89 };
    await fleet.start();
    await pass(300_000);
    const attempts = dialled.length - 1;
    expect(attempts).toBeGreaterThan(60);
    expect(attempts).toBeLessThan(500);
    expect(fleet.figures()).toMatchObject({ phase: 'running', connected: 0, refused: 0 });
    expect(fleet.figures().problems).toMatchObject([{ kind: 'connect', count: attempts }]);
  });

  test('a permanent refusal is not retried, and if all are refused the run ends', async () => {
    const { fleet, dialled, rules } = made({ devices: '4' });
    rules.refuse = ({ clientId }) =>
      clientId === 'fleet-t-0' ? undefined : { code: 'refused', message: 'no', reasonCode: 0x87 };
    await fleet.start();
    await pass(500);
    expect(dialled).toHaveLength(5);
    expect(fleet.figures()).toMatchObject({ phase: 'ended', refused: 4 });
    expect(fleet.figures().problems).toMatchObject([{ failure: { reasonCode: 0x87 }, count: 4 }]);
  });

  test("does not start if its subscriber can't connect", async () => {
    const { fleet, dialled, rules } = made();
    const refusal = { code: 'refused', message: 'no', reasonCode: 0x86 };
    rules.refuse = () => refusal;
    await expect(fleet.start()).rejects.toBe(refusal);
    await pass(1000);
    expect(dialled).toHaveLength(1);
  });
});
