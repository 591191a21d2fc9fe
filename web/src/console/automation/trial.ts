/** Tries a script on one message, in a worker of its own. Nothing is published. */

import type { Message } from '../../client';
import { t } from '../core/i18n/i18n';
import { brief, decodeUtf8, hex } from '../core/text';
import { bounds } from './bounds';
import { deliveredOf } from './deliveries';
import type { Dependencies, Line } from './host';
import type { Act } from './protocol';
import { saidBy, telling, whyStopped } from './words';

export interface Tried {
  /** What `onMessage` returned, as JSON. */
  json: string | undefined;
  /** What it did, in order; this may include an error. */
  did: readonly Pick<Line, 'kind' | 'text'>[];
}

export type Trial = ReturnType<typeof createTrial>;

export function createTrial({
  start,
  lineOfHang,
  clock,
}: Pick<Dependencies, 'start' | 'lineOfHang' | 'clock'>) {
  let cancel = () => {};

  async function wordsOf(act: Act, code: string): Promise<Tried['did'][number] | undefined> {
    switch (act.kind) {
      case 'publish': {
        const { topic, payload } = act.publication;
        const body =
          typeof payload === 'string' ? payload : (decodeUtf8(payload) ?? hex(payload.slice(0, 64)));
        const values = { topic: brief(topic, bounds.alert), payload: brief(body, bounds.alert) };
        return telling({ kind: 'log' }, () => t('would publish to {topic}: {payload}', values));
      }
      case 'stopped':
        return telling({ kind: 'error' }, await whyStopped(act, code, lineOfHang));
      case 'limited':
        return undefined;
      default:
        return telling({ kind: act.kind }, saidBy(act));
    }
  }

  /** Always settles; undefined if another run has begun. */
  async function run(code: string, message: Message): Promise<Tried | undefined> {
    cancel();
    const acts: Act[] = [];
    let end: (json?: string) => void = () => {};
    let over = false;
    const ended = new Promise<string | undefined>((resolve) => {
      end = resolve;
    });
    const failed = (text: string, why: 'unloaded' | 'slow') => {
      acts.push({ kind: 'stopped', why, text, place: undefined });
      end();
    };
    let stopWaiting = clock.after(bounds.loading * 1000, () => failed('', 'slow'));
    const engine = start(
      (heard) => {
        if (heard.kind === 'loaded') {
          stopWaiting();
          stopWaiting = clock.after(bounds.silence * 1000, () => failed('', 'slow'));
        }
        if (heard.kind === 'did' && acts.length < bounds.log) acts.push(heard.act);
        if (heard.kind === 'done') end(heard.results[0]?.json);
      },
      (why) => failed(why, 'unloaded'),
    );
    cancel = () => {
      over = true;
      end();
    };
    engine.post({ kind: 'load', program: { id: 1, code, rate: bounds.perSecond.publications } });
    engine.post({ kind: 'deliver', messages: [{ number: 0, message: deliveredOf(message), to: [1] }] });
    const json = await ended;
    stopWaiting();
    engine.terminate();
    if (over) return undefined;
    const did = (await Promise.all(acts.map((act) => wordsOf(act, code)))).filter((one) => one !== undefined);
    return over ? undefined : { json, did };
  }

  return { run };
}
