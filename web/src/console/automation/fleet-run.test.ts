import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ConnectOptions, Message, PublishOptions } from '../../client';
import { plainSettings, type Settings } from '../session/settings';
import { emptyForm, type FleetForm, planOf } from './fleet-plan';
import { createFleetRun, type Machinery } from './fleet-run';
import { type Link, property } from './fleet-subscriber';
import type { Asked } from './protocol';

interface Published {
  clientId: string;
  topic: string;
  payload: string;
  qos: number;
  mark: string;
  at: number;
}

/** A broker that delivers each message to its subscribers, and can be told to misbehave. */
function broker() {
  const published: Published[] = [];
  const handlers: { filter: string; handler(message: Message): void }[] = [];
  const open = new Map<string, { end(error?: unknown): void; options: ConnectOptions }>();
  const dialled: ConnectOptions[] = [];
  const ended: string[] = [];
  const rules = {
    refuse: (_options: ConnectOptions): unknown => undefined,
    /** How often a message is delivered, whether its publish fails, and whether the ack is held back. */
    deliver: (_message: Published): { times: number; error?: unknown; hold?: boolean } => ({ times: 1 }),
    will: (deliver: () => void): void => deliver(),
  };

  function deliver({ topic, payload, qos, mark }: Published): void {
    const message = { topic, qos, text: () => payload, properties: { userProperties: [[property, mark]] } };
    for (const { filter, handler } of handlers) {
      const parts = filter.split('/');
      const levels = topic.split('/');
      const fits =
        parts.length === levels.length && parts.every((part, n) => part === '+' || part === levels[n]);
      if (fits) handler(message as unknown as Message);
    }
  }

  const dial = vi.fn(async (options: ConnectOptions): Promise<Link> => {
    dialled.push(options);
    const refusal = rules.refuse(options);
    if (refusal) throw refusal;
    const clientId = String(options.clientId);
    const listeners: Record<string, ((...args: unknown[]) => void)[]> = {};
    const waiting: ((error: unknown) => void)[] = [];
    let gone = false;
    const end = (error?: unknown): void => {
      if (gone) return;
      gone = true;
      open.delete(clientId);
      for (const reject of waiting) reject({ code: 'not-connected', message: 'gone' });
      for (const listener of listeners.end ?? []) listener(error);
    };
    open.set(clientId, { end, options });
    return {
      cut() {
        end();
        const { topic = '', payload = '', properties } = options.will ?? {};
        const [[, mark = ''] = []] = (properties?.userProperties ?? []) as [string, string][];
        if (topic)
          rules.will(() => deliver({ clientId, topic, payload: String(payload), qos: 0, mark, at: 0 }));
      },
      client: {
        on(event: string, listener: (...args: never[]) => void) {
          listeners[event] = [...(listeners[event] ?? []), listener as (...args: unknown[]) => void];
          return this;
        },
        async subscribe(filter: string, _how: object, handler: (message: Message) => void) {
          handlers.push({ filter, handler });
        },
        publish(topic: string, given: string | Uint8Array, { qos = 0, properties }: PublishOptions) {
          const [[, mark = ''] = []] = (properties?.userProperties ?? []) as [string, string][];
          const payload = typeof given === 'string' ? given : new TextDecoder().decode(given);
          const message = { clientId, topic, payload, qos, mark, at: performance.now() };
          published.push(message);
          const { times, error, hold } = rules.deliver(message);
          for (let n = 0; n < times; n++) deliver(message);
          if (hold) return new Promise((_, reject) => waiting.push(reject));
          return error ? Promise.reject(error) : Promise.resolve({ reasonCode: 0 });
        },
        async end() {
          ended.push(clientId);
          end();
        },
      } as unknown as Link['client'],
    };
  });
  return { dial, dialled, published, open, ended, rules, deliver };
}

function made(
  changes: Partial<FleetForm> = {},
  settings: Partial<Settings> = {},
  message?: Machinery['message'],
) {
  const played = broker();
  const { plan, errors } = planOf({ ...emptyForm('t'), jitter: '0', duration: '', ...changes }, 'private');
  expect(errors).toEqual({});
  const fleet = createFleetRun(
    plan,
    { ...plainSettings, url: 'ws://127.0.0.1/mqtt', ...settings },
    {
      dial: played.dial,
      now: () => performance.now(),
      date: Date.now,
      random: Math.random,
      run: 'run1',
      ...(message && { message }),
    },
  );
  const timer = setInterval(fleet.tick, 10);
  return { ...played, fleet, timer };
}

const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

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
