/** The messages of a fleet by a script. Loaded by the first fleet that has one. */

import { topicName } from '../../client/checks/topics';
import { compile } from '../../client/routing/topic-filter';
import { fetchEngine } from './engine';
import { type FleetScript, most } from './fleet-plan';
import type { Content, Machinery } from './fleet-run';
import type { Act } from './protocol';
import { createSandbox } from './sandbox';

/** Why there are no more messages. */
export type ScriptEnd = Extract<Act, { kind: 'error' | 'stopped' }>;

/** Any failure ends it: `ended` is called once, and each call returns undefined from then on. */
export async function createFleetScript(
  wasm: WebAssembly.Module,
  { code, filter }: FleetScript,
  ended: (why: ScriptEnd) => void,
): Promise<NonNullable<Machinery['message']>> {
  const isExpected = compile(filter);
  const utf8 = new TextEncoder();
  let over = false;
  let content: Content | undefined;

  function made(topic: string, given: string | Uint8Array): void {
    const payload = typeof given === 'string' ? utf8.encode(given) : given;
    if (payload.length > most.payload) {
      throw new RangeError(`message(device): the payload is larger than ${most.payload / 1024} KiB`);
    }
    topicName(topic, 'topic');
    if (!isExpected(topic)) {
      const [found, wanted] = [topic, filter].map((text) => JSON.stringify(text.slice(0, 200)));
      throw new RangeError(`message(device): the topic ${found} does not match the topic filter ${wanted}`);
    }
    content = { topic, payload };
  }

  function act(act: Act): void {
    if (over || (act.kind !== 'error' && act.kind !== 'stopped')) return;
    over = true;
    ended(act);
  }

  const sandbox = await createSandbox(
    wasm,
    { code, rate: 0, entry: 'message(device)' },
    { now: () => performance.now(), act, wake() {}, made },
  );
  return (asked) => {
    content = undefined;
    if (!over) sandbox.message(asked);
    return over ? undefined : content;
  };
}

export const loadFleetScript = async (script: FleetScript, ended: (why: ScriptEnd) => void) =>
  createFleetScript(await fetchEngine(), script, ended);
