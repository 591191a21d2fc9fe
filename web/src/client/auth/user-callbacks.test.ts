import { expect, test } from 'vitest';
import type { Callbacks } from '../checks/options';
import { fromWire, MqttError, toWire } from '../errors';
import { createUserCallbacks } from './user-callbacks';

const attempt = { url: 'ws://broker.test/mqtt', attempt: 0 };
const step = { phase: 'start', method: 'm' } as const;

test('has only the callbacks that are set', () => {
  expect(createUserCallbacks({}).sink).toEqual({});
  expect(Object.keys(createUserCallbacks({ credentials: () => ({}) }).sink)).toEqual(['onAttempt']);
  expect(Object.keys(createUserCallbacks({ authenticate: () => undefined }).sink)).toEqual([
    'onAuthenticate',
  ]);
});

test.each<[string, Callbacks, unknown]>([
  [
    'the address',
    { transformWsUrl: async (url) => `${url}?signed` },
    { url: 'ws://broker.test/mqtt?signed' },
  ],
  [
    'credentials in the address',
    { transformWsUrl: () => 'ws://me:%40@broker.test/' },
    { url: 'ws://broker.test/', username: 'me', password: new Uint8Array([0x40]) },
  ],
  [
    'credentials',
    { credentials: async () => ({ username: 'me', password: 'a' }) },
    { username: 'me', password: new Uint8Array([0x61]) },
  ],
  [
    'both, and the credentials come last',
    { transformWsUrl: () => 'ws://you@other.test/', credentials: () => ({ username: 'me' }) },
    { url: 'ws://other.test/', username: 'me' },
  ],
])('before an attempt: %s', async (_, callbacks, change) => {
  expect(await createUserCallbacks(callbacks).sink.onAttempt?.(attempt)).toEqual(change);
});

test('authenticate gets the step, and returns bytes, text or nothing', async () => {
  const seen: unknown[] = [];
  const results = [new Uint8Array([1]), 'a', undefined];
  const { sink } = createUserCallbacks({
    authenticate(given) {
      seen.push(given);
      return results.shift();
    },
  });
  expect(await sink.onAuthenticate?.(step)).toEqual(new Uint8Array([1]));
  expect(await sink.onAuthenticate?.(step)).toEqual(new Uint8Array([0x61]));
  expect(await sink.onAuthenticate?.(step)).toBeUndefined();
  expect(seen).toEqual([step, step, step]);
});

test.each<[string, Callbacks]>([
  ['transformWsUrl', { transformWsUrl: () => undefined }],
  ['transformWsUrl', { transformWsUrl: () => 'https://broker.test/' }],
  ['credentials', { credentials: () => 'me' }],
  ['credentials.username', { credentials: () => ({ username: 7 }) }],
  ['credentials.password', { credentials: () => ({ password: {} }) }],
  ['authenticate', { authenticate: () => 7 }],
])('an invalid result of %s is refused', async (field, callbacks) => {
  const { sink } = createUserCallbacks(callbacks);
  const asked = callbacks.authenticate ? sink.onAuthenticate?.(step) : sink.onAttempt?.(attempt);
  await expect(asked).rejects.toMatchObject({ name: 'MqttError', code: 'bad-option', field });
});

test.each([new Error('the token server is down'), 'text', null])(
  'an error they throw (%s) is the cause, even after passing through the engine',
  async (thrown) => {
    const { sink, explain } = createUserCallbacks({
      credentials: () => {
        throw thrown;
      },
    });
    const error = await sink.onAttempt?.(attempt).then(
      () => undefined,
      (caught: MqttError) => caught,
    );
    if (!(error instanceof MqttError)) throw new Error('no MqttError');
    expect(error).toMatchObject({ code: 'aborted', field: 'credentials', cause: thrown });
    const returned = fromWire(toWire(error));
    expect(returned.cause).toBeUndefined();
    expect(explain(returned)).toBe(error);
    const another = new MqttError('network', 'broken');
    expect(explain(another)).toBe(another);
  },
);
