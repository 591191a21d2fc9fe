import { MqttError } from './errors';

/** A script that is loaded when it is needed. `what` it is, for the error where it can't be. */
export function load<Script>(what: string, script: Promise<Script>): Promise<Script> {
  const loading = script.then(whole).catch((cause: unknown) => {
    throw new MqttError('crashed', `${what} could not be loaded: ${cause}`, { cause });
  });
  loading.catch(() => {}); // whoever waits for it is told, if anybody does by then
  return loading;
}

/** What is cut short between two statements is a script, too; its exports stand at its end. */
function whole<Script>(script: Script): Script {
  for (const _ in script) return script;
  throw 'cut short';
}
