import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isLink, linkTo, readLink, type Shared } from './link';
import { emptyMessage } from './message';

const page = 'http://127.0.0.1:8080/?x=1#messages';

const text = fc.string({ unit: 'grapheme' });
const qos = fc.constantFrom(0 as const, 1 as const, 2 as const);

const some = text.filter((words) => words !== '');
const subscription = fc.record(
  {
    filter: some,
    qos,
    nl: fc.constant(true),
    rap: fc.constant(true),
    rh: fc.constantFrom(1 as const, 2 as const),
    identifier: fc.integer({ min: 1, max: 268_435_455 }),
    name: some,
    hue: fc.integer({ min: 0, max: 359 }),
  },
  { requiredKeys: ['filter', 'qos'] },
);

const shared: fc.Arbitrary<Shared> = fc.record({
  broker: fc.constantFrom('', 'ws://broker.example:8083/mqtt'),
  subscriptions: fc.uniqueArray(subscription, {
    selector: ({ filter }) => filter,
    maxLength: 5,
  }),
  message: fc.option(
    fc.record({
      topic: text,
      payload: text,
      file: fc.constant(undefined),
      type: fc.constantFrom('', 'lab.Reading'),
      format: fc.constantFrom('text' as const, 'json' as const, 'hex' as const, 'base64' as const),
      qos,
      retain: fc.boolean(),
      properties: fc.record({
        payloadFormatIndicator: fc.boolean(),
        messageExpiryInterval: text,
        contentType: text,
        responseTopic: text,
        correlationData: text,
        topicAlias: text,
        userProperties: fc.array(fc.tuple(text, text), { maxLength: 3 }),
      }),
    }),
    { nil: undefined },
  ),
});

it('survives the round trip', () => {
  fc.assert(
    fc.property(shared, (given) => {
      const { hash, search } = new URL(linkTo(page, given));
      expect(search).toBe('');
      expect(readLink(hash)).toEqual(given);
    }),
  );
});

it('contains no credentials', () => {
  const broker = 'wss://me:hunter2@broker.example/mqtt?token=hunter3';
  const link = linkTo(page, { broker, subscriptions: [], message: undefined });
  expect(link).toBe('http://127.0.0.1:8080/#broker=wss%3A%2F%2Fbroker.example%2Fmqtt');
  expect(readLink('#broker=wss%3A%2F%2Fme%3Ahunter2%40h%2F%3Ft%3D1').broker).toBe('wss://h/');
});

it.each([
  ['#broker=javascript:alert(1)', { broker: '', subscriptions: [], message: undefined }],
  [
    '#sub=3:a&sub=x&sub=0:&sub=1:a&sub=2:a',
    { broker: '', subscriptions: [{ filter: 'a', qos: 2 }], message: undefined },
  ],
  [
    '#sub={"filter":""}&sub=null&sub={"filter":"a","qos":3,"nl":1,"rh":3,"identifier":0,"hue":360,"own":true}',
    { broker: '', subscriptions: [{ filter: 'a', qos: 0 }], message: undefined },
  ],
  [
    '#topic=t&qos=9&format=__proto__&__proto__=x&user=[1]&user={',
    { broker: '', subscriptions: [], message: { ...emptyMessage, topic: 't' } },
  ],
  [`#topic=${'x'.repeat(300_000)}`, { broker: '', subscriptions: [], message: undefined }],
] satisfies [string, Shared][])('the valid parts of %.60s are read', (fragment, read) => {
  expect(readLink(fragment)).toEqual(read);
});

it('accepts any text', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      (any) => void readLink(`#broker=${any}&sub=${any}&user=${any}`),
    ),
  );
});

it('is not an anchor on the page', () => {
  expect(['#publish', '#messages', '', '#topic=a', '#broker=x'].map(isLink)).toEqual([
    false,
    false,
    false,
    true,
    true,
  ]);
});
