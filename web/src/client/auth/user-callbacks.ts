/** The caller's functions among the options, in the form that the engine calls. */

import type { AttemptChange, AuthStep, BoundarySink } from '../../protocol/boundary';
import type { Callbacks } from '../checks/options';
import { binary, type Check, shape, text } from '../checks/rules';
import { type Address, parseAddress } from '../checks/url';
import { MqttError } from '../errors';
import type { createScram } from './scram';

export interface UserCallbacks {
  /** Only those that were given. They reject only with an `MqttError`. */
  sink: Pick<BoundarySink, 'onAttempt' | 'onAuthenticate'>;
  /** An error thrown here comes back from the engine without its cause: this returns the original. */
  explain<E>(error: E): E | MqttError;
}

const address: Check<Address> = (value, field) => parseAddress(value, globalThis.location, field);

const credentialFields = shape({ username: text, password: binary });

const stepData: Check<Uint8Array | undefined> = (value, field) =>
  value === undefined ? undefined : binary(value, field);

export function createUserCallbacks({
  transformWsUrl,
  credentials,
  authenticate,
  scram,
}: Callbacks): UserCallbacks {
  let failure: MqttError | undefined;

  async function ask<T>(field: string, run: () => unknown, check: Check<T>): Promise<T> {
    try {
      const checked = check(await run(), field);
      failure = undefined;
      return checked;
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : 'it threw something that is not an Error';
      failure =
        cause instanceof MqttError ? cause : new MqttError('aborted', `${field}: ${why}`, { field, cause });
      throw failure;
    }
  }

  const sink: UserCallbacks['sink'] = {};
  if (transformWsUrl || credentials) {
    sink.onAttempt = async ({ url }) => {
      const change: AttemptChange = {};
      if (transformWsUrl) {
        const { password, ...rest } = await ask('transformWsUrl', () => transformWsUrl(url), address);
        Object.assign(
          change,
          rest,
          password !== undefined && { password: new TextEncoder().encode(password) },
        );
      }
      if (credentials) Object.assign(change, await ask('credentials', credentials, credentialFields));
      return change;
    };
  }
  if (authenticate) {
    sink.onAuthenticate = (step) => ask('authenticate', () => authenticate(step), stepData);
  }
  if (scram) {
    let answer: ReturnType<typeof createScram> | undefined;
    const answerStep = async (step: AuthStep): Promise<unknown> => {
      answer ??= (await import('./scram')).createScram(scram);
      return answer(step);
    };
    sink.onAuthenticate = (step) => ask('scram', () => answerStep(step), stepData);
  }

  function explain<E>(error: E): E | MqttError {
    if (!failure || !(error instanceof MqttError)) return error;
    const { code, field, message } = failure;
    return error.code === code && error.field === field && error.message.includes(message) ? failure : error;
  }

  return { sink, explain };
}
