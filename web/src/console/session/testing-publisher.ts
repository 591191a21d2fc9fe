/** For tests: a publisher whose client and clock the test plays. */

import { expect, vi } from 'vitest';
import type { Client } from '../../client';
import { createChoices } from '../payload/choices';
import { createPublisher } from './publisher';

export function made(publish: Client['publish'] | undefined = async () => ({ reasonCode: 0 })) {
  const spy = vi.fn(publish);
  const request = vi.fn<Client['request']>();
  const connack = { properties: { maximumPacketSize: 2048 } };
  let beat: (() => void) | undefined;
  const state = { now: 0, connected: true };
  const publisher = createPublisher(
    {
      choices: createChoices(),
      client: () => (state.connected ? ({ publish: spy, request, connack } as unknown as Client) : undefined),
      clock: {
        now: () => state.now,
        after: (_milliseconds, call) => {
          beat = call;
          return () => {
            beat = undefined;
          };
        },
      },
    },
    'mqttwasm/1/hello',
  );
  const payloads = () => spy.mock.calls.map((call) => call[1]);
  return {
    publisher,
    spy,
    request,
    payloads,
    state,
    beat: () => beat?.(),
    ticking: () => beat !== undefined,
  };
}

export const settled = (publisher: ReturnType<typeof made>['publisher']) =>
  vi.waitFor(() => expect(publisher.outcomes.value[0]?.tone).not.toBe('waiting'));
