/**
 * The devices of a fleet, each with a client of its own.
 *
 *                 ramp                accepted                drop-out, storm, lost
 *   waiting ──────────────► connecting ────────► connected ─────────────────────────► waiting
 *      ▲                        │  │
 *      └──── back-off ──────────┘  └── refused for a permanent reason ───► refused
 *
 * Runs in the fleet's worker. Nothing here has a timer of its own: `tick` does what is due.
 */

import type { ConnectOptions, QoS } from '../../client';
import type { Failure } from '../core/failure';
import { noProperties } from '../session/message';
import { optionsOf, type Settings } from '../session/settings';
import { createDevices, type Device, levels, type State } from './fleet-device';
import { createProblems, type Figures, type Phase, type Track } from './fleet-figures';
import { expandFor, most, type Plan } from './fleet-plan';
import { createSubscriber, type Link, label } from './fleet-subscriber';
import { createTally } from './fleet-tally';
import type { Asked } from './protocol';

export interface Content {
  topic: string;
  payload: string | Uint8Array;
}

export interface Machinery {
  /** Resolves when the broker has accepted. */
  dial(options: ConnectOptions): Promise<Link>;
  /** Milliseconds, never going back. */
  now(): number;
  /** Milliseconds since 1970. */
  date(): number;
  /** From 0 up to 1. */
  random(): number;
  /** Distinguishes this run's messages from others. */
  run: string;
  /** For a plan with a script; undefined if that has ended. */
  message?(asked: Asked): Content | undefined;
}

/** Messages of one device that may wait for their acknowledgement. */
const mostUnacknowledged = 100;
/** Messages of all devices that may be on their way to the subscriber: mosquitto drops more than 1,000. */
const mostOnTheWay = 1000;
/** Milliseconds: a device that is later leaves messages out. */
const mostLate = 1000;
/** Milliseconds of one `tick`: a script may be slow, and the sockets must not wait. */
const slice = 50;
/** The first back-off, which doubles, and the longest one. */
const backOff = [1000, 30_000] as const;
/** Milliseconds to wait for the last messages while none arrives, and in all; and for DISCONNECT. */
const drain = { idle: 3000, whole: 30_000, goodbye: 2000 };
const connectTimeout = 30_000;

/** Reason codes of CONNACK that are about the client, so that the next attempt would get them again. */
const lasting = new Set([0x81, 0x82, 0x84, 0x85, 0x86, 0x87, 0x8a, 0x8c, 0x90, 0x95, 0x99, 0x9a, 0x9b, 0x9d]);

export type FleetRun = ReturnType<typeof createFleetRun>;

export function createFleetRun(plan: Plan, settings: Settings, machinery: Machinery) {
  const { dial, now, date, random, run, message } = machinery;
  const begun = now();
  const givenUp = new AbortController();
  const tally = createTally(begun);
  const problems = createProblems();
  let phase: Phase = 'starting';
  let skipped = 0;
  let dropOuts = 0;
  /** Wills that the broker should publish. */
  let willsDue = 0;
  let storms = 0;
  let storm: { at: number; devices: number; left: number; took: number | undefined } | undefined;
  let nextStorm = Number.POSITIVE_INFINITY;
  let drainedBy = 0;
  /** Nothing has arrived for so long that nothing more is expected. */
  let drained = false;
  /** How many more messages may be on their way. */
  let room = Number.POSITIVE_INFINITY;
  let stoppedAt = 0;
  /** Index of the device that is handled first. */
  let turn = 0;
  /** When the current second began, and bytes that the script has made in it. */
  let second = begun;
  let bytes = 0;
  let ending: Promise<unknown> | undefined;

  const devices = createDevices(plan, random);

  const sum = (of: (device: Device) => number): number =>
    devices.reduce((total, device) => total + of(device), 0);
  const count = (state: State): number => sum((device) => (device.state === state ? 1 : 0));
  const subscriber = createSubscriber(plan, run, now, problems, (qos, device, n, sentAt, at) => {
    const counts = devices[device - 1]?.tracks[qos]?.arrive(n) ?? false;
    if (counts) tally.arrived(at - sentAt);
    return counts;
  });

  function optionsFor(number: number, will?: Plan['will']): ConnectOptions {
    const fill = (template: string): string => expandFor(template, number, 0, date());
    return {
      ...optionsOf({
        ...settings,
        clientId: fill(plan.clientId),
        store: false,
        shared: false,
        will: {
          topic: will ? fill(will.topic) : '',
          payload: will ? fill(will.payload) : '',
          qos: will?.qos ?? 0,
          retain: false,
          willDelayInterval: '',
          properties: { ...noProperties, userProperties: [label(run, 'will', number, 0, 0)] },
        },
      }),
      reconnectPeriod: 0,
      connectTimeout,
      signal: givenUp.signal,
    };
  }

  /** Rejects if the subscriber can't connect or subscribe: without it nothing can be measured. */
  async function start(): Promise<void> {
    if (plan.measure && phase === 'starting') await subscriber.open(dial, optionsFor(0));
    if (phase !== 'starting') return;
    phase = 'running';
    const at = now();
    nextStorm = at + plan.storm;
    for (const device of devices) device.connectAt = at + (device.number - 1) * plan.ramp;
  }

  /** Away until `after` milliseconds have passed. */
  function wait(device: Device, after: number): void {
    device.state = 'waiting';
    device.link = undefined;
    device.connectAt = now() + after;
  }

  function retry(device: Device): void {
    const [first, longest] = backOff;
    // Full jitter: all at once would be an unwanted storm.
    wait(device, random() * Math.min(longest, first * 2 ** device.attempts));
    device.attempts++;
  }

  function backFromStorm(device: Device): void {
    if (!device.stormed) return;
    device.stormed = false;
    if (!storm || --storm.left > 0) return;
    storm.took = now() - storm.at;
  }

  async function connect(device: Device): Promise<void> {
    device.state = 'connecting';
    let link: Link;
    try {
      const options = optionsFor(device.number, plan.will);
      device.id = options.clientId ?? '';
      link = await dial(options);
    } catch (error) {
      device.state = 'waiting';
      if (phase !== 'running') return;
      problems.note('connect', error);
      const { code = '', reasonCode = 0 } = error as { code?: string; reasonCode?: number };
      if (code === 'bad-option' || code === 'unsupported' || lasting.has(reasonCode)) {
        device.state = 'refused';
        backFromStorm(device);
        if (count('refused') === devices.length) stop();
      } else retry(device);
      return;
    }
    device.state = 'connected';
    if (ending) {
      link.client.end(true).catch(() => {});
      return;
    }
    device.link = link;
    if (phase !== 'running') return;
    const at = now();
    device.attempts = 0;
    // Not all at the same moment, even if all were cut off at the same moment.
    device.sendAt = at + random() * plan.interval;
    device.dropAt = at - Math.log(1 - random()) * plan.dropOuts;
    backFromStorm(device);
    let farewell: Failure | undefined;
    link.client.on('disconnect', ({ reasonCode, reasonString }) => {
      farewell = {
        code: 'disconnected',
        message: 'DISCONNECT',
        reasonCode,
        ...(reasonString && { reasonString }),
      };
    });
    link.client.on('end', (error) => {
      if (device.link !== link) return;
      problems.note('lost', farewell ?? error ?? new Error('the connection ended'));
      retry(device);
    });
  }

  function cut(device: Device, after: number): void {
    const { link } = device;
    wait(device, after);
    if (plan.will) willsDue++;
    link?.cut();
    link?.client.end(true).catch(() => {}); // it only has to be gone
  }

  function cutAll(): void {
    if (phase !== 'running') return;
    const connected = devices.filter(({ state }) => state === 'connected');
    if (connected.length === 0) return;
    storms++;
    storm = { at: now(), devices: connected.length, left: connected.length, took: undefined };
    for (const device of devices) device.stormed = device.state === 'connected';
    for (const device of connected) cut(device, 0);
  }

  function contentOf({ number, id, messages: n, skew }: Device): Content | undefined {
    const clock = date() + skew;
    if (!plan.script) {
      const fill = (template: string): string => expandFor(template, number, n, clock);
      return { topic: fill(plan.topic), payload: fill(plan.payload) };
    }
    const content = message?.({ number, id, n, now: clock });
    bytes += content?.payload.length ?? 0;
    return content;
  }

  function send(device: Device, link: Link): void {
    device.messages++;
    const content = contentOf(device);
    if (!content) {
      stop();
      return;
    }
    const { topic, payload } = content;
    const qos = plan.qos === 'mixed' ? (levels[device.messages % 3] ?? 0) : plan.qos;
    const track = device.tracks[qos] as Track;
    const n = track.next();
    const at = now();
    tally.sent[qos]++;
    device.unacknowledged++;
    const properties = { userProperties: [label(run, String(qos), device.number, n, at)] };
    link.client
      .publish(topic, payload, { qos, properties })
      .then(
        () => {
          tally.acknowledged[qos]++;
          if (qos > 0) tally.acknowledgements.add(now() - at);
        },
        (error: unknown) => {
          tally.failed[qos]++;
          track.fail(n);
          // A message that a drop-out cut off is not the broker's fault.
          if (device.link === link) problems.note('publish', error);
        },
      )
      .finally(() => {
        device.unacknowledged--;
      });
  }

  function sendDue(device: Device, link: Link, at: number): void {
    if (at - device.sendAt > mostLate) {
      skipped += Math.floor((at - device.sendAt) / plan.interval);
      device.sendAt = at;
    }
    while (device.sendAt <= at && phase === 'running' && now() - at < slice) {
      if (device.unacknowledged < mostUnacknowledged && room > 0 && bytes < most.throughput) {
        send(device, link);
        room--;
      } else skipped++;
      device.sendAt += plan.interval * (1 + plan.jitter * (random() * 2 - 1));
    }
  }

  function lookAt(device: Device, at: number): void {
    if (device.state === 'waiting' && device.connectAt <= at) void connect(device);
    if (device.state !== 'connected' || !device.link) return;
    if (device.dropAt <= at) {
      dropOuts++;
      cut(device, plan.away);
    } else sendDue(device, device.link, at);
  }

  /** To be called every few milliseconds. */
  function tick(): void {
    const at = now();
    if (phase === 'running') {
      if (at - begun >= plan.duration) stop();
      else if (nextStorm <= at) {
        cutAll();
        nextStorm = at + plan.storm;
      }
      if (plan.measure) room = mostOnTheWay - onTheWay();
      if (at - second >= 1000) {
        second = at;
        bytes = 0;
      }
      // Devices for which there is no time are first next time.
      for (let n = 0; n < devices.length && phase === 'running' && now() - at < slice; n++) {
        lookAt(devices[turn] as Device, at);
        turn = (turn + 1) % devices.length;
      }
    }
    if (phase === 'stopping' && !ending && isDrained(at)) finish();
  }

  const onTheWay = (): number =>
    sum(({ tracks }) => tracks.reduce((total, track) => total + track.outstanding(), 0));

  /** Waits for connecting devices, too: cut off, they would leave wills behind. */
  function isDrained(at: number): boolean {
    if (at >= drainedBy) return true;
    if (sum(({ unacknowledged }) => unacknowledged) > 0) return false;
    const idle = at - Math.max(stoppedAt, subscriber.last()) > drain.idle;
    drained = plan.measure && (idle || (onTheWay() === 0 && subscriber.counts().wills >= willsDue));
    return (drained || !plan.measure) && (idle || count('connecting') === 0);
  }

  /** Sends nothing more, waits for what is under way, and then ends all clients. */
  function stop(): void {
    if (phase === 'stopping' || phase === 'ended') return;
    phase = 'stopping';
    stoppedAt = now();
    drainedBy = stoppedAt + drain.whole;
  }

  /** Ends all clients now. Resolves when they have ended, or could not send DISCONNECT in time. */
  function finish(): Promise<unknown> {
    if (phase === 'ended') return Promise.resolve();
    stop();
    givenUp.abort();
    const links = [subscriber.take(), ...devices.map(({ link }) => link)].filter(
      (link) => link !== undefined,
    );
    for (const device of devices) device.link = undefined;
    ending ??= Promise.allSettled(links.map(({ client }) => client.end({ timeout: drain.goodbye }))).then(
      () => {
        for (const { tracks } of drained ? devices : []) for (const track of tracks) track.close();
        phase = 'ended';
      },
    );
    return ending;
  }

  function figures(): Figures {
    const at = now();
    const tracked = (qos: QoS, what: keyof Track['counts']): number =>
      sum(({ tracks }) => tracks[qos]?.counts[what] ?? 0);
    return {
      phase,
      at: date(),
      elapsed: at - begun,
      connected: phase === 'ended' ? 0 : count('connected'),
      connecting: count('connecting'),
      away: count('waiting'),
      refused: count('refused'),
      ...tally.report(at),
      byQoS: levels.map((qos) => ({
        qos,
        sent: tally.sent[qos],
        acknowledged: tally.acknowledged[qos],
        failed: tally.failed[qos],
        received: tracked(qos, 'received'),
        onTheWay: plan.measure ? sum(({ tracks }) => tracks[qos]?.outstanding() ?? 0) : 0,
        lost: tracked(qos, 'lost'),
        duplicates: tracked(qos, 'duplicates'),
        late: tracked(qos, 'late'),
      })),
      skipped,
      dropOuts,
      storms,
      lastStorm: storm && { devices: storm.devices, took: storm.took },
      ...subscriber.counts(),
      problems: problems.list(),
    };
  }

  return { start, tick, cutAll, stop, finish, figures };
}
