import type { BoundaryClient, BoundaryOptions, BoundarySink, ConnackInfo } from '../../protocol/boundary';
import { defaultTimeout } from '../checks/calls';
import type { Settings } from '../checks/options';
import { maxMilliseconds } from '../checks/rules';
import { aborted, limited, MqttError } from '../errors';
import type { Engine } from './calls';

/** Milliseconds for the program's answer to arrive after its own time limit. */
const grace = 500;

/**
 * Finds a program and connects in it, with time limits on the page's own clock, since a worker or a
 * program may never load. With `once` it resolves when the broker has accepted, otherwise when the
 * program has the client.
 */
export async function connectIn(
  open: () => Promise<Engine>,
  { boundary: options, signal }: Settings,
  givenUp: AbortController,
  once: boolean,
  sink: BoundarySink,
): Promise<BoundaryClient> {
  const { connectTimeout = defaultTimeout, servers = [] } = options;
  const give = (): void => givenUp.abort(signal?.reason);
  if (signal?.aborted) give();
  signal?.addEventListener('abort', give);
  let connecting: Promise<BoundaryClient> | undefined;
  let doubt: Engine['doubt'];
  try {
    if (givenUp.signal.aborted) throw aborted(givenUp.signal);
    // One time limit for both: a worker that is slow to start leaves its program less.
    const load = async () => {
      const { boundary, ready, ...engine } = await open();
      doubt = engine.doubt;
      const link = boundary.connect({
        ...options,
        ...sink,
        signal: givenUp.signal,
        ...(!once && { background: true }),
      });
      link.catch(() => {}); // not unhandled: it is awaited below
      connecting = link;
      await ready;
      return { link };
    };
    const wait = <T>(promise: Promise<T>, time: number, what: string): Promise<T> => {
      const limits = { timeout: Math.min(time, maxMilliseconds), signal: givenUp.signal };
      return limited(promise, limits, `connect: ${what} within ${time} ms`);
    };
    const loading = 'the worker or the WebAssembly program has not loaded';
    const { link } = await wait(load(), connectTimeout, loading);
    const time = (once ? 1 + servers.length : 1) * connectTimeout + grace;
    return await wait(link, time, 'neither the broker nor the worker has answered');
  } catch (error) {
    if (error instanceof MqttError && error.code === 'timeout') doubt?.();
    givenUp.abort();
    // The program may have the client nevertheless.
    connecting?.then((link) => link.disconnect({ force: true })).catch(() => {});
    throw error;
  } finally {
    signal?.removeEventListener('abort', give);
  }
}

/** What is assumed until CONNACK: the specification's defaults (3.2.2.3). */
export function assumed({ clientId = '', keepalive = 60, properties }: BoundaryOptions): ConnackInfo {
  return {
    sessionPresent: false,
    reasonCode: 0,
    clientId,
    properties: {
      sessionExpiryInterval: properties?.sessionExpiryInterval ?? 0,
      receiveMaximum: 65_535,
      maximumQoS: 2,
      retainAvailable: true,
      maximumPacketSize: 0,
      topicAliasMaximum: 0,
      wildcardSubscriptionAvailable: true,
      subscriptionIdentifiersAvailable: true,
      sharedSubscriptionAvailable: true,
      serverKeepAlive: keepalive,
    },
  };
}
