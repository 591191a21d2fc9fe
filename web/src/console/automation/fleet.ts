/** A session's fleet as the page sees it: its form, the worker that runs it, and its figures. */

import { computed, type Signal, signal } from '@preact/signals';
import { scriptUrl } from '../../client/transport/asset-urls';
import type { Failure } from '../core/failure';
import { t, type Words } from '../core/i18n/i18n';
import { addressOf } from '../session/config';
import type { Session } from '../session/session';
import { type Settings, withoutSecrets } from '../session/settings';
import { bounds } from './bounds';
import type { News, Order } from './fleet.worker';
import workerUrl from './fleet.worker.ts?worker&url';
import type { Figures } from './fleet-figures';
import { type FleetForm, formFrom, planOf, type Reach, reachOf } from './fleet-plan';
import type { ScriptEnd } from './fleet-script';
import { lineOfHang, saidBy, whyHung, whyStopped } from './words';

/** The figures of one second. */
export interface Sample {
  /** Milliseconds since 1970. */
  at: number;
  connected: number;
  sent: number;
  received: number;
  p50: number | undefined;
  p99: number | undefined;
  lost: number;
}

/** Milliseconds between samples; the figures that come a little early count, too. */
const sampling = 980;

/** Milliseconds, rounded to meaningful digits. */
const rounded = (milliseconds: number | undefined): number | undefined =>
  milliseconds === undefined ? undefined : Number(milliseconds.toPrecision(3));

/** An hour of them. */
export const mostSamples = 3600;

/** Milliseconds that a worker has to end its clients. */
const goodbye = { stop: 40_000, leave: 3000 };

export interface Run {
  /** Without credentials. */
  address: string;
  /** Milliseconds since 1970. */
  begun: number;
  form: FleetForm;
  figures: Figures | undefined;
  samples: readonly Sample[];
}

export interface Dependencies {
  /** The form, for a reload of the page. */
  kept: Signal<unknown>;
  /** With the address that the fleet connects to. */
  settings(): Settings;
  /** Addresses of the public brokers that come with the page. */
  publicAddresses(): string[];
  startWorker(): Worker;
  now(): number;
}

export type Fleet = ReturnType<typeof createFleet>;

export function createFleet(deps: Dependencies) {
  const tag = Math.floor(Math.random() * 0x10000)
    .toString(16)
    .padStart(4, '0');
  const form = signal<FleetForm>(formFrom(deps.kept.peek(), tag));
  const checked = signal(false);
  const errors = computed(() => (checked.value ? planOf(form.value, reach()).errors : {}));
  const isWrong = () => Object.keys(errors.value).length > 0;
  /** The last one, also when it is over. */
  const run = signal<Run | undefined>(undefined);
  const running = signal(false);
  /** Why there are no figures, or no more. */
  const failure = signal<Failure | undefined>(undefined);
  /** Why its script makes no more messages, as text. */
  const whyEnded = signal<Words | undefined>(undefined);
  const scriptEnd = computed(() => whyEnded.value?.());
  /** The address for which the user has to agree first. */
  const asking = signal<string | undefined>(undefined);
  let worker: Worker | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let pulse: ReturnType<typeof setInterval> | undefined;
  const address = (): string => withoutSecrets(deps.settings().url);
  const reach = (): Reach => reachOf(deps.settings().url, deps.publicAddresses());
  const order = (given: Order): void => worker?.postMessage(given);

  function edit(changes: Partial<FleetForm>): void {
    form.value = { ...form.value, ...changes };
    deps.kept.value = form.value;
    checked.value &&= isWrong();
  }

  /** Ends the worker, and with it the sockets of its clients. */
  function end(): void {
    clearTimeout(timer);
    clearInterval(pulse);
    worker?.terminate();
    worker = undefined;
    running.value = false;
    removeEventListener('pagehide', end);
  }

  function fail(why: Failure): void {
    failure.value = why;
    end();
  }

  function show(mine: Run, figures: Figures): void {
    const last = mine.samples.at(-1);
    // By the worker's clock: a busy page gets them late.
    const { at, recent } = figures;
    if (!last || at - last.at >= sampling) {
      const sample = {
        at,
        connected: figures.connected,
        sent: Math.round(figures.sentRate),
        received: Math.round(figures.receivedRate),
        p50: rounded(recent.p50),
        p99: rounded(recent.p99),
        lost: figures.byQoS.reduce((sum, { lost }) => sum + lost, 0),
      };
      // A new array, so that the chart notices the change.
      mine.samples = [...mine.samples, sample].slice(-mostSamples);
    }
    run.value = { ...mine, figures };
    if (figures.phase === 'ended') end();
  }

  /** Some calls of the language can't be interrupted: only ending the worker stops them. */
  function watch(): (news: News) => void {
    let silent = 0;
    let most: number = bounds.loading;
    pulse = setInterval(() => {
      if (silent++ < most) return;
      const seconds = most;
      whyEnded.value = () => whyHung(seconds);
      end();
    }, 1000);
    return (news) => {
      silent = 0;
      if (news.type === 'figures' && news.figures.phase === 'running') most = bounds.silence;
    };
  }

  async function tell(why: ScriptEnd, mine: Run): Promise<void> {
    let words: Words;
    if (why.kind === 'error') {
      const said = saidBy(why);
      words = () => t('Stopped: {reason}', { reason: said() });
    } else words = await whyStopped(why, mine.form.code, lineOfHang);
    if (run.peek()?.begun === mine.begun) whyEnded.value = words;
  }

  function begin(): void {
    end();
    asking.value = undefined;
    failure.value = undefined;
    whyEnded.value = undefined;
    const settings = deps.settings();
    checked.value = true;
    if (isWrong()) return;
    const { plan } = planOf(form.value, reach());
    const mine: Run = {
      address: withoutSecrets(settings.url),
      begun: deps.now(),
      form: form.value,
      figures: undefined,
      samples: [],
    };
    run.value = mine;
    const started = deps.startWorker();
    worker = started;
    const heard = plan.script && watch();
    started.onmessage = ({ data }: MessageEvent<News>) => {
      if (worker !== started) return;
      heard?.(data);
      if (data.type === 'failed') fail(data.failure);
      else if (data.type === 'script') void tell(data.end, mine);
      else show(mine, data.figures);
    };
    started.onerror = (event) => {
      event.preventDefault?.();
      if (worker === started)
        fail({ code: 'crashed', message: event.message || 'the worker could not be loaded' });
    };
    running.value = true;
    addEventListener('pagehide', end);
    order({ type: 'start', plan, settings });
  }

  /** Asks first if the broker is not on a private network. */
  function start(): void {
    if (running.value) return;
    checked.value = true;
    if (isWrong()) return;
    if (reach() === 'private') begin();
    else asking.value = address();
  }

  function endWithin(given: 'stop' | 'leave'): void {
    order({ type: given });
    clearTimeout(timer);
    timer = setTimeout(end, goodbye[given]);
  }

  return {
    form,
    errors,
    run,
    running,
    failure,
    scriptEnd,
    asking,
    reach,
    address,
    edit,
    start,
    agree: begin,
    decline() {
      asking.value = undefined;
    },
    storm: () => order({ type: 'storm' }),
    /** Waits for messages in flight; called again, it does not. */
    stop: () => endWithin(run.value?.figures?.phase === 'stopping' ? 'leave' : 'stop'),
    dispose: () => endWithin('leave'),
  };
}

/** For `part`. */
export const fleetOf = ({ fleetForm, connection }: Session): Fleet =>
  createFleet({
    kept: fleetForm,
    settings() {
      const settings = connection.settings.value;
      const { url } = connection.status.value;
      // An address that is being typed is not used yet.
      return { ...settings, url: (connection.wanted() && url) || settings.url };
    },
    publicAddresses: () =>
      connection.config.value.brokers
        .filter(({ builtIn, embedded }) => builtIn && !embedded)
        .map((broker) => addressOf(broker, location.href)),
    startWorker: () => new Worker(scriptUrl(workerUrl), { type: 'module', name: 'mqttwasm fleet' }),
    now: Date.now,
  });
