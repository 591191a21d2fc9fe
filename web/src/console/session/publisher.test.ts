import { describe, expect, it, vi } from 'vitest';
import type { PublishResult, Message as Received } from '../../client';
import type { Failure } from '../core/failure';
import { errorOf } from '../core/testing';
import { emptyMessage } from './message';
import { wordsFor } from './outcome';
import { made, settled } from './testing-publisher';

describe('once', () => {
  it('publishes the form as it is, and counts', async () => {
    const { publisher, spy, payloads } = made();
    publisher.publish();
    publisher.publish();
    expect(payloads()).toEqual(['messages: 0', 'messages: 1']);
    expect(spy.mock.calls[0]).toMatchObject(['mqttwasm/1/hello', 'messages: 0', { qos: 0, retain: false }]);
    await settled(publisher);
    const [outcome] = publisher.outcomes.value;
    expect(outcome).toMatchObject({ tone: 'good', topic: 'mqttwasm/1/hello' });
    expect(outcome?.text()).toBe('Sent');
  });

  it('does not count without the placeholder', () => {
    const { publisher } = made();
    publisher.edit({ payload: 'plain' });
    publisher.publish();
    expect(publisher.next.value).toBe(0);
  });

  it('shows an error at its field, keeps the form and the number', async () => {
    const failure: Failure = { code: 'bad-option', message: 'topic: no wildcards here', field: 'topic' };
    const { publisher } = made(() => Promise.reject(errorOf(failure)));
    publisher.edit({ topic: 'a/#', qos: 1 });
    publisher.publish();
    await settled(publisher);
    expect(publisher.fieldErrors.value).toEqual({ topic: 'No wildcards here' });
    expect(publisher.draft.value).toMatchObject({ topic: 'a/#', qos: 1, payload: 'messages: {{n}}' });
    expect(publisher.next.value).toBe(0);
    publisher.edit({ topic: 'a' });
    expect(publisher.fieldErrors.value).toEqual({});
  });

  it('reports a missing connection', () => {
    const { publisher, state, spy } = made();
    state.connected = false;
    publisher.publish();
    const [outcome] = publisher.outcomes.value;
    expect([outcome?.tone, outcome?.text()]).toEqual(['bad', 'Failed: not connected to a broker']);
    expect(spy).not.toHaveBeenCalled();
  });

  it('gives the broker’s reason for a refusal', async () => {
    const { publisher } = made(() =>
      Promise.reject(errorOf({ code: 'refused', message: 'Not authorized', reasonCode: 0x87 })),
    );
    publisher.publish();
    await settled(publisher);
    expect(publisher.outcomes.value[0]?.text()).toBe('Failed: Not authorized [0x87]');
  });

  it('keeps a bounded number of results', async () => {
    const { publisher } = made();
    for (let i = 0; i < 60; i++) publisher.publish();
    expect(publisher.outcomes.value).toHaveLength(50);
  });
});

describe('repeating', () => {
  it('starts at 0 and continues until stopped', () => {
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

  it('publishes what the form held at the start', () => {
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

  it('gives up only on a message that can never be sent', async () => {
    let failure: Failure = { code: 'not-connected', message: 'no connection' };
    const { publisher, beat, ticking } = made(() => Promise.reject(errorOf(failure)));
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

  it('does not pile up unacknowledged messages', () => {
    const { publisher, spy, beat } = made(() => new Promise<PublishResult>(() => {}));
    publisher.edit({ repeat: true });
    publisher.publish();
    for (let i = 0; i < 200; i++) beat();
    expect(spy).toHaveBeenCalledTimes(100);
    expect(publisher.repeating.value?.sent).toBe(100);
  });
});

describe('a number of times', () => {
  it('stops after the last', () => {
    const { publisher, payloads, beat, ticking } = made();
    publisher.edit({ repeat: true, times: '3' });
    publisher.publish();
    expect(publisher.repeating.value).toMatchObject({ sent: 1, times: 3 });
    beat();
    expect(ticking()).toBe(true);
    beat();
    expect(payloads()).toEqual(['messages: 0', 'messages: 1', 'messages: 2']);
    expect([ticking(), publisher.repeating.value]).toEqual([false, undefined]);
  });

  it('may be one', () => {
    const { publisher, payloads, ticking } = made();
    publisher.edit({ repeat: true, times: '1' });
    publisher.publish();
    expect([payloads(), ticking(), publisher.repeating.value]).toEqual([['messages: 0'], false, undefined]);
  });

  it.each(['0', '-1', '1.5', 'x', '1e12'])('refuses %j', (times) => {
    const { publisher, spy } = made();
    publisher.edit({ repeat: true, times });
    publisher.publish();
    expect(publisher.fieldErrors.value.times).toMatch(/whole number/);
    expect(spy).not.toHaveBeenCalled();
  });
});

describe('properties', () => {
  it('are all that were filled in, with pairs in order', () => {
    const { publisher, spy } = made();
    publisher.edit({
      properties: {
        payloadFormatIndicator: true,
        messageExpiryInterval: '60',
        contentType: 'text/plain',
        responseTopic: 'answers',
        correlationData: 'c1',
        topicAlias: '7',
        userProperties: [
          ['b', '1'],
          ['', ''],
          ['a', '2'],
          ['b', '1'],
        ],
      },
    });
    publisher.publish();
    expect(spy.mock.calls[0]?.[2]?.properties).toEqual({
      payloadFormatIndicator: true,
      messageExpiryInterval: 60,
      contentType: 'text/plain',
      responseTopic: 'answers',
      correlationData: 'c1',
      topicAlias: 7,
      userProperties: [
        ['b', '1'],
        ['a', '2'],
        ['b', '1'],
      ],
    });
  });

  it('are omitted if left empty', () => {
    const { publisher, spy } = made();
    publisher.publish();
    expect(spy.mock.calls[0]?.[2]?.properties).toEqual({});
  });

  it('show errors at their own fields', async () => {
    const failure: Failure = {
      code: 'bad-option',
      message: 'properties.topicAlias: must be a whole number',
      field: 'properties.topicAlias',
    };
    const { publisher } = made(() => Promise.reject(errorOf(failure)));
    publisher.publish();
    await settled(publisher);
    expect(publisher.fieldErrors.value).toEqual({ topicAlias: 'Must be a whole number' });
    publisher.edit({ properties: { ...publisher.draft.value.properties, topicAlias: '1' } });
    expect(publisher.fieldErrors.value).toEqual({});
  });
});

describe('a failed message', () => {
  it('is not counted as sent while repeating, and is reported', async () => {
    let broken = false;
    const failure: Failure = { code: 'timeout', message: 'no answer' };
    const { publisher, beat } = made(async () => {
      if (broken) throw errorOf(failure);
      return { reasonCode: 0 };
    });
    publisher.edit({ repeat: true });
    publisher.publish();
    await settled(publisher);
    broken = true;
    beat();
    await vi.waitFor(() => expect(publisher.repeating.value).toMatchObject({ sent: 1, failed: 1 }));
    publisher.stop();
  });

  it('that was not sent is not in the history', async () => {
    const failure: Failure = { code: 'bad-option', message: 'topic: no wildcards here', field: 'topic' };
    const { publisher, state } = made(() => Promise.reject(errorOf(failure)));
    publisher.publish();
    await settled(publisher);
    expect(publisher.sent.value).toEqual([]);
    publisher.edit({ repeat: true });
    publisher.publish();
    await settled(publisher);
    expect(publisher.sent.value).toEqual([]);
    state.connected = false;
    publisher.publish();
    publisher.edit({ repeat: false });
    publisher.publish();
    expect(publisher.sent.value).toEqual([]);
  });

  it('that got no ack may have been sent, so it stays', async () => {
    const { publisher } = made(() => Promise.reject(errorOf({ code: 'timeout', message: 'no answer' })));
    publisher.publish();
    await settled(publisher);
    expect(publisher.sent.value).toHaveLength(1);
  });
});

describe('what was sent', () => {
  it('is kept once, the latest first, and fills the form again', () => {
    const { publisher } = made();
    publisher.edit({ topic: 'one', qos: 2 });
    publisher.publish();
    publisher.edit({ topic: 'two', qos: 0 });
    publisher.publish();
    publisher.edit({ topic: 'one', qos: 2 });
    publisher.publish();
    expect(publisher.sent.value.map(({ message }) => message.topic)).toEqual(['one', 'two']);
    publisher.edit(publisher.sent.value[1]?.message ?? emptyMessage);
    expect(publisher.draft.value).toMatchObject({ topic: 'two', qos: 0, payload: 'messages: {{n}}' });
  });

  it('is bounded in number and in bytes', () => {
    const { publisher } = made();
    for (let i = 0; i < 60; i++) {
      publisher.edit({ topic: `t${i}` });
      publisher.publish();
    }
    expect(publisher.sent.value).toHaveLength(50);
    publisher.edit({ payload: 'x'.repeat(3_999_990) });
    publisher.publish();
    expect(publisher.sent.value).toHaveLength(1);
  });
});

describe('requests', () => {
  it('show the response', async () => {
    const { publisher, request } = made();
    request.mockResolvedValue(Object.assign({} as Received, { topic: 'r' }));
    publisher.edit({ topic: 'ask/{{n}}' });
    const asked = publisher.request();
    expect(publisher.answer.value).toEqual({ topic: 'ask/0' });
    await asked;
    expect(publisher.answer.value).toMatchObject({
      topic: 'ask/0',
      message: { topic: 'r' },
      milliseconds: 1,
    });
    expect(request.mock.calls[0]?.slice(0, 2)).toEqual(['ask/0', 'messages: 0']);
  });

  it('report why there is no response', async () => {
    const { publisher, request } = made();
    request.mockRejectedValue(errorOf({ code: 'timeout', message: 'no answer within 30 s' }));
    await publisher.request();
    expect(publisher.answer.value?.failure?.()).toBe('no answer within 30 s');
  });

  it('have a result like messages', async () => {
    const { publisher, request, state } = made();
    const newest = () => publisher.outcomes.value.map(({ tone, text }) => `${tone}: ${text()}`)[0];
    publisher.publish();
    request.mockResolvedValue({} as Received);
    const asked = publisher.request();
    expect(newest()).toBe('waiting: Waiting for the answer…');
    await asked;
    expect(newest()).toBe('good: Answered after 1 ms');
    request.mockRejectedValue(errorOf({ code: 'timeout', message: 'no answer within 30 s' }));
    await publisher.request();
    expect(newest()).toBe('bad: Failed: no answer within 30 s');
    state.connected = false;
    await publisher.request();
    expect(newest()).toBe('bad: Failed: not connected to a broker');
  });

  it('a late response to an abandoned request is ignored', async () => {
    const { publisher, request } = made();
    request.mockResolvedValue({} as Received);
    const asked = publisher.request();
    publisher.dismissAnswer();
    expect(request.mock.calls[0]?.[2]?.signal?.aborted).toBe(true);
    await asked;
    expect(publisher.answer.value).toBeUndefined();
  });
});

it.each([
  [{ reasonCode: 0 }, 0 as const, 'good', 'Sent'],
  [{ reasonCode: 0 }, 1 as const, 'good', 'Acknowledged after 12 ms'],
  [{ reasonCode: 16 }, 1 as const, 'warning', 'Acknowledged after 12 ms: no subscribers'],
  [{ reasonCode: 0, reasonString: 'thanks\n' }, 2 as const, 'good', 'Acknowledged after 12 ms (thanks␊)'],
])('%j at QoS %d', (result, qos, tone, text) => {
  const words = wordsFor(result, qos, 12.3);
  expect([words.tone, words.text()]).toEqual([tone, text]);
});
