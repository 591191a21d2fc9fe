// The fleet's own thread, for its devices' clients and the Go program that they share: the page's
// thread only gets figures.

import { connect } from '../../client';
import type { Failure } from '../core/failure';
import { connectBy } from '../session/login';
import type { Settings } from '../session/settings';
import { type Figures, plainFailure } from './fleet-figures';
import type { Plan } from './fleet-plan';
import { createFleetRun, type FleetRun, type Machinery } from './fleet-run';
import type { ScriptEnd } from './fleet-script';

/** `stop` waits for messages in flight, `leave` does not. */
export type Order = { type: 'start'; plan: Plan; settings: Settings } | { type: 'storm' | 'stop' | 'leave' };

/**
 * The last one has the phase `ended`. `failed`: the run could not begin; `script`: the script
 * stopped it.
 */
export type News =
  | { type: 'figures'; figures: Figures }
  | { type: 'failed'; failure: Failure }
  | { type: 'script'; end: ScriptEnd };

/** Milliseconds between looks at what is due, and between figures. */
const pace = { tick: 10, figures: 250 };

let fleet: FleetRun | undefined;

const tell = (news: News): void => self.postMessage(news);

const dialBy =
  (settings: Settings): Machinery['dial'] =>
  async (options) => {
    let socket: WebSocket | undefined;
    class Tapped extends WebSocket {
      constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols);
        socket = this;
      }
    }
    const all = { ...options, worker: false, WebSocket: Tapped };
    const form = { settings: { peek: () => settings }, tell() {} };
    const client = await (settings.login.kind ? connectBy(form, all, connect) : connect(all));
    return { client, cut: () => socket?.close() };
  };

async function start(plan: Plan, settings: Settings): Promise<void> {
  let script: Machinery['message'];
  const run = crypto.getRandomValues(new Uint32Array(1))[0]?.toString(36) ?? '';
  const begun = createFleetRun(plan, settings, {
    dial: dialBy(settings),
    now: () => performance.now(),
    date: Date.now,
    random: Math.random,
    run,
    message: (asked) => script?.(asked),
  });
  fleet = begun;
  setInterval(begun.tick, pace.tick);
  setInterval(() => tell({ type: 'figures', figures: begun.figures() }), pace.figures);
  try {
    if (plan.script) {
      const { loadFleetScript } = await import('./fleet-script');
      script = await loadFleetScript(plan.script, (end) => {
        tell({ type: 'script', end });
        begun.stop();
      });
    }
  } catch (error) {
    tell({ type: 'failed', failure: { ...plainFailure(error), unloaded: true } });
    return;
  }
  try {
    await begun.start();
  } catch (error) {
    // If the page stopped it, it knows.
    if (begun.figures().phase === 'starting') tell({ type: 'failed', failure: plainFailure(error) });
  }
}

self.onmessage = ({ data }: MessageEvent<Order>) => {
  if (data.type === 'start') void start(data.plan, data.settings);
  else if (data.type === 'storm') fleet?.cutAll();
  else if (data.type === 'stop') fleet?.stop();
  else void fleet?.finish().then(() => fleet && tell({ type: 'figures', figures: fleet.figures() }));
};
