/** For tests: a client whose programs the test plays. */

import type {
  Boundary,
  BoundaryClient,
  BoundarySink,
  ClientEvent,
  ConnackInfo,
} from '../../protocol/boundary';
import { MqttError } from '../errors';
import { restartAfterCrash } from './restart-after-crash';

export type Request = Parameters<Boundary['connect']>[0];

export const crash = { code: 'crashed', message: 'gone' };

export const connectedNow = (sessionPresent = false): ClientEvent => ({
  type: 'connect',
  connack: { sessionPresent } as ConnackInfo,
});

/** A program that connects by default. */
export function program(fails?: MqttError, sessionPresent: boolean | 'later' = false, codes = [0]) {
  const calls: unknown[][] = [];
  let sink!: Request;
  const record =
    (name: string, result?: object) =>
    async (...args: unknown[]) => {
      calls.push([name, ...args]);
      return result;
    };
  const link = Object.fromEntries(
    [
      'publish',
      'request',
      'reauthenticate',
      'suspend',
      'resume',
      'wake',
      'ping',
      'tellPackets',
      'disconnect',
      'unsubscribe',
    ].map((name) => [name, record(name)]),
  ) as unknown as BoundaryClient;
  link.subscribe = record('subscribe', { reasonCodes: codes }) as BoundaryClient['subscribe'];
  const boundary: Boundary = {
    async connect(request) {
      sink = request;
      if (fails) throw fails;
      if (sessionPresent !== 'later') request.onEvent(connectedNow(sessionPresent));
      return link;
    },
  };
  return { boundary, calls, link, sink: (): BoundarySink & Request => sink };
}

/** A client of the first program; the others replace it in order. */
export async function client(programs: ReturnType<typeof program>[], options: Partial<Request> = {}) {
  const events: ClientEvent[] = [];
  const [first, ...others] = programs;
  const open = async (): Promise<Boundary> => {
    const next = others.shift();
    if (!next) throw new MqttError('crashed', 'there is no other');
    return next.boundary;
  };
  const boundary = restartAfterCrash((first as (typeof programs)[0]).boundary, open);
  const request = { url: 'ws://broker.test/mqtt', keepalive: 7, onBatch: () => undefined, ...options };
  const link = await boundary.connect({ ...request, onEvent: (event) => events.push(event) });
  const types = () => events.map(({ type }) => type);
  return { link, events, types };
}
