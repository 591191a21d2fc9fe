import { MqttError } from './errors';

/** A script that is loaded on demand. `what` names it in the error if loading fails. */
export function load<Script>(what: string, script: Promise<Script>): Promise<Script> {
  const loading = script.then(whole).catch((cause: unknown) => {
    throw new MqttError('crashed', `${what} could not be loaded: ${cause}`, { cause });
  });
  loading.catch(() => {}); // not unhandled: callers that wait for it get the rejection
  return loading;
}

/** A truncated script may still run; then the exports, which are at its end, are missing. */
function whole<Script>(script: Script): Script {
  for (const _ in script) return script;
  throw 'cut short';
}
