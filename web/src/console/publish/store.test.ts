import { describe, expect, it, vi } from 'vitest';
import type { Client, PublishResult } from '../../client';
import type { Failure } from '../connection/explain';
import { createPublisher, wordsFor } from './store';

function made(publish: Client['publish'] | undefined = async () => ({ reasonCode: 0 })) {
  const spy = vi.fn(publish);
  let beat: (() => void) | undefined;
  const state = { now: 0, connected: true };
  const publisher = createPublisher(
    {
      client: () => (state.connected ? ({ publish: spy } as unknown as Client) : undefined),
      toFailure: (error) => error as Failure,
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
  return { publisher, spy, payloads, state, beat: () => beat?.(), ticking: () => beat !== undefined };
}

const settled = (publisher: ReturnType<typeof made>['publisher']) =>
  vi.waitFor(() => expect(publisher.outcomes.value[0]?.tone).not.toBe('waiting'));

describe('once', () => {
  it('sends the form as it stands, and counts', async () => {
    const { publisher, spy, payloads } = made();
    publisher.publish();
    publisher.publish();
    expect(payloads()).toEqual(['messages: 0', 'messages: 1']);
    expect(spy.mock.calls[0]).toMatchObject(['mqttwasm/1/hello', 'messages: 0', { qos: 0, retain: false }]);
    await settled(publisher);
    expect(publisher.outcomes.value[0]).toMatchObject({
      tone: 'good',
      text: 'Sent',
      topic: 'mqttwasm/1/hello',
    });
  });

  it('counts nothing without the placeholder', () => {
    const { publisher } = made();
    publisher.edit({ payload: 'plain' });
    publisher.publish();
    expect(publisher.next.value).toBe(0);
  });

  it('shows a mistake at its field, keeps the form and the number', async () => {
    const failure: Failure = { code: 'bad-option', message: 'topic: no wildcards here', field: 'topic' };
    const { publisher } = made(() => Promise.reject(failure));
    publisher.edit({ topic: 'a/#', qos: 1 });
    publisher.publish();
    await settled(publisher);
    expect(publisher.fieldErrors.value).toEqual({ topic: 'No wildcards here' });
    expect(publisher.draft.value).toMatchObject({ topic: 'a/#', qos: 1, payload: 'messages: {{n}}' });
    expect(publisher.next.value).toBe(0);
    publisher.edit({ topic: 'a' });
    expect(publisher.fieldErrors.value).toEqual({});
  });

  it('says so when there is no connection', () => {
    const { publisher, state, spy } = made();
    state.connected = false;
    publisher.publish();
    expect(publisher.outcomes.value[0]).toMatchObject({
      tone: 'bad',
      text: 'Failed: not connected to a broker',
    });
    expect(spy).not.toHaveBeenCalled();
  });

  it('gives the broker’s reason for a refusal', async () => {
    const { publisher } = made(() =>
      Promise.reject({ code: 'refused', message: 'Not authorized', reasonCode: 0x87 }),
    );
    publisher.publish();
    await settled(publisher);
    expect(publisher.outcomes.value[0]?.text).toBe('Failed: Not authorized [0x87]');
  });

  it('keeps a bounded number of outcomes', async () => {
    const { publisher } = made();
    for (let i = 0; i < 60; i++) publisher.publish();
    expect(publisher.outcomes.value).toHaveLength(50);
  });
});

describe('repeating', () => {
  it('starts at 0 and goes on until it is stopped', () => {
    const { publisher, payloads, beat, ticking } = made();
    publisher.publish();
    publisher.edit({ repeat: true });
    publisher.publish();
    beat();
    beat();
    expect(payloads()).toEqual(['messages: 0', 'messages: 0', 'messages: 1', 'messages: 2']);
    expect(publisher.repeating.value).toEqual({ topic: 'mqttwasm/1/hello', seconds: 1, sent: 3 });
    publisher.stop();
    expect(ticking()).toBe(false);
    expect(publisher.repeating.value).toBeUndefined();
  });

  it('sends what the form held at the start', () => {
    const { publisher, payloads, beat } = made();
    publisher.edit({ repeat: true, payload: '{{n}} a' });
    publisher.publish();
    publisher.edit({ payload: '{{n}} b' });
    beat();
    expect(payloads()).toEqual(['0 a', '1 a']);
  });

  it.each(['', '0', '-1', 'x', '0.05', '1e9'])('refuses %j seconds', (seconds) => {
    const { publisher, spy } = made();
    publisher.edit({ repeat: true, seconds });
    publisher.publish();
    expect(publisher.fieldErrors.value.seconds).toMatch(/Between 0\.1/);
    expect(spy).not.toHaveBeenCalled();
  });

  it('gives up on a message that can never be sent, and on nothing less', async () => {
    let failure: Failure = { code: 'not-connected', message: 'no connection' };
    const { publisher, beat, ticking } = made(() => Promise.reject(failure));
    publisher.edit({ repeat: true });
    publisher.publish();
    await settled(publisher);
    expect(ticking()).toBe(true);
    expect(publisher.next.value).toBe(0);
    failure = { code: 'packet-too-large', message: 'too large', field: 'payload' };
    beat();
    await settled(publisher);
    expect(ticking()).toBe(false);
    expect(publisher.fieldErrors.value).toEqual({ payload: 'Too large' });
  });

  it('does not pile up messages that nobody acknowledges', () => {
    const { publisher, spy, beat } = made(() => new Promise<PublishResult>(() => {}));
    publisher.edit({ repeat: true });
    publisher.publish();
    for (let i = 0; i < 200; i++) beat();
    expect(spy).toHaveBeenCalledTimes(100);
    expect(publisher.repeating.value?.sent).toBe(100);
  });
});

it.each([
  [{ reasonCode: 0 }, 0 as const, 'good', 'Sent'],
  [{ reasonCode: 0 }, 1 as const, 'good', 'Acknowledged after 12 ms'],
  [{ reasonCode: 16 }, 1 as const, 'warning', 'Acknowledged after 12 ms: no subscribers'],
  [{ reasonCode: 0, reasonString: 'thanks\n' }, 2 as const, 'good', 'Acknowledged after 12 ms (thanks␊)'],
])('%j at QoS %d', (result, qos, tone, text) => {
  expect(wordsFor(result, qos, 12.3)).toEqual({ tone, text });
});
