import { MqttError } from './errors';

/** A script that is loaded when it is needed. `what` it is, for the error where it can't be. */
export function load<Script>(what: string, script: Promise<Script>): Promise<Script> {
  const loading = script.catch((cause: unknown) => {
    throw new MqttError('crashed', `${what} could not be loaded: ${cause}`, { cause });
  });
  loading.catch(() => {}); // whoever waits for it is told, if anybody does by then
  return loading;
}
