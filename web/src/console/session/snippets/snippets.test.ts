import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { load } from '../../payload/codecs/table';
import type { ProtoFile } from '../../payload/schema';
import { emptyMessage, type Message } from '../message';
import { plainSettings } from '../settings';
import { go } from './go';
import { javascript } from './javascript';
import { mosquitto, word } from './mosquitto';
import { literal, planOf } from './plan';
import { python } from './python';

/** Each escapes some language's quoting, or contains hidden characters. */
const hostile = [
  `"; process.exit(1); //`,
  `'; rm -rf "$HOME"; '`,
  // biome-ignore lint/suspicious/noTemplateCurlyInString: as a shell or JavaScript would read it
  '`id` $(id) ${x} $x !! %s \\',
  'line\nfeed\r\ttab',
  '\u202egnp.exe\u2066 \u2028 \ufeff',
  '</script><!-- {{x}}',
  '"""\\u0041\\n',
  '-x',
  '温度 🌡️',
  'half \ud800 pair',
  "it's \\ and\n\u202e, all at once",
];

const settings = {
  ...plainSettings,
  url: 'wss://me:hunter2@broker.example/mqtt?token=hunter3',
  username: 'me',
  password: 'hunter4',
  authenticationData: 'hunter5',
  authenticationMethod: 'X',
};

describe.each(hostile)('%j', (text) => {
  it('is one string in JavaScript', () => {
    expect(new Function(`return ${literal(text)}`)()).toBe(text);
    expect(literal(text)).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028\ufeff]/u);
  });

  it('is one word in bash', () => {
    const read = execFileSync('bash', ['-c', `printf %s ${word(text)}`]).toString();
    expect(read).toBe(new TextDecoder('utf-8', { ignoreBOM: true }).decode(new TextEncoder().encode(text)));
  });

  it('changes only its own line of a program', () => {
    const message = {
      ...emptyMessage,
      topic: text,
      payload: text,
      properties: {
        ...emptyMessage.properties,
        contentType: text,
        userProperties: [[text, text] as [string, string]],
      },
    };
    for (const write of [javascript, go, python]) {
      const harmless = write(
        planOf({ ...settings, clientId: 'x' }, [{ filter: 'x', qos: 1 }], {
          ...message,
          topic: 'x',
          payload: 'x',
          properties: { ...message.properties, contentType: 'x', userProperties: [['x', 'x']] },
        }),
      );
      const code = write(planOf({ ...settings, clientId: text }, [{ filter: text, qos: 1 }], message));
      expect(code.split('\n')).toHaveLength(harmless.split('\n').length);
    }
  });
});

it.each([javascript, go, python, mosquitto])('contains no password', (write) => {
  const code = write(planOf(settings, [], { ...emptyMessage, topic: 'a' }));
  expect(code).toContain('<password>');
  expect(code).not.toContain('hunter');
});

it('fills in template placeholders', () => {
  expect(
    javascript(planOf(settings, [], { ...emptyMessage, topic: 'a/{{n}}', payload: '{{n}}' }, 7)),
  ).toContain('client.publish("a/7", "7"');
});

describe('a login', () => {
  const secrets = {
    accessKeyId: 'hunter6',
    secretAccessKey: 'hunter7',
    token: 'hunter8',
    signature: 'hunter9',
    tokenQuery: '?hunter10',
  };

  it.each([
    [{ kind: 'sigv4' }, 'wss://broker.example/mqtt?<signature>'],
    [
      { kind: 'authorizer', authorizer: 'a b' },
      'wss://broker.example/mqtt?x-amz-customauthorizer-name=a%20b&token=<token>&x-amz-customauthorizer-signature=<signature>',
    ],
    [{ kind: 'jwt' }, 'OAUTH2-JWT'],
    [{ kind: 'url', use: 'jwt', method: 'CUSTOM-JWT' }, 'CUSTOM-JWT'],
    [{ kind: 'url' }, '<password>'],
    [{ kind: 'url', use: 'address' }, 'wss://broker.example/mqtt?<signature>'],
  ])('is shown without its secrets: %j', (login, told) => {
    const plan = planOf({ ...plainSettings, url: settings.url, login, secrets }, [], {
      ...emptyMessage,
      topic: 'a',
    });
    for (const write of [javascript, go, python]) {
      expect(write(plan)).toContain(write === python ? told.replace('wss://broker.example', '') : told);
      expect(write(plan)).not.toContain('hunter');
    }
    expect(mosquitto(plan)).not.toContain('hunter');
  });
});

it('keeps binary payloads', () => {
  const plan = planOf(settings, [], { ...emptyMessage, topic: 'a', payload: 'de ad', format: 'hex' });
  expect(plan.body).toEqual({ base64: '3q0=' });
  expect(mosquitto(plan)).toContain('printf %s 3q0= | base64 -d | mosquitto_pub');
});

it('a NUL survives the pipe', () => {
  const command = mosquitto(planOf(settings, [], { ...emptyMessage, topic: 'a', payload: 'a\0\\n' }));
  const [, printf] = /^(printf .*) \| mosquitto_pub/m.exec(command) ?? [];
  expect([...execFileSync('bash', ['-c', printf ?? ''])]).toEqual([0x61, 0, 0x5c, 0x6e]);
});

describe('the options of subscriptions', () => {
  const subscriptions = [
    { filter: 'a', qos: 1 as const, nl: true, rap: true, rh: 2 as const, identifier: 7 },
    { filter: 'b', qos: 0 as const },
  ];
  const plan = planOf(settings, subscriptions, { ...emptyMessage, topic: 't' });

  it('appear in JavaScript', () => {
    const code = javascript(plan);
    expect(code).toMatch(
      /subscribe\("a", \{\s+qos: 1,\s+nl: true,\s+rap: true,\s+rh: 2,\s+properties: \{\s+subscriptionIdentifier: 7,/,
    );
    expect(code).toMatch(/subscribe\("b", \{\s+qos: 0,\s+\}/);
  });

  it('appear in Go', () => {
    const code = go(plan);
    expect(code).toContain('{Topic: "a", QoS: 1, NoLocal: true, RetainAsPublished: true, RetainHandling: 2}');
    expect(code).toContain('\tid0 := 7\n');
    expect(code).toContain('SubscriptionIdentifier: &id0');
    expect(code).toContain('{{Topic: "b", QoS: 0}},\n\t})');
  });

  it('appear in Python', () => {
    const code = python(plan);
    expect(code).toContain('import SubscribeOptions\n');
    expect(code).toContain(
      'subscribed.SubscriptionIdentifier = 7\n    client.subscribe("a", options=SubscribeOptions(qos=1, noLocal=True, retainAsPublished=True, retainHandling=2), properties=subscribed)\n',
    );
    expect(code).toContain('client.subscribe("b", qos=0)\n');
  });

  it('appear in the command as far as it supports them, and the others are listed', () => {
    expect(mosquitto(plan)).toContain('--retain-as-published');
    expect(mosquitto(plan)).toContain(
      '# mosquitto_sub has no No Local, Retain Handling, Subscription Identifiers for each filter.\n',
    );
    const together = subscriptions.map(({ filter, qos }) => ({ filter, qos, identifier: 7 }));
    const command = mosquitto(planOf(settings, together, { ...emptyMessage, topic: 't' }));
    expect(command).toContain('-D SUBSCRIBE subscription-identifier 7');
    expect(command).not.toContain('has no');
  });
});

it('an IPv6 address has no brackets in a host option', () => {
  const plan = planOf({ ...plainSettings, url: 'ws://[::1]:9001/mqtt' }, [], emptyMessage);
  expect(mosquitto(plan)).toContain('-h ::1 ');
  expect(python(plan)).toContain('client.connect("::1", 9001');
  expect(go(plan)).toContain('ws://[::1]:9001/mqtt');
});

it('what is typed as JSON and has a binary form is that in code', async () => {
  const bodyOf = (message: Partial<Message>, files?: readonly ProtoFile[]) =>
    planOf(plainSettings, [], { ...emptyMessage, topic: 'a', ...message }, 3, files).body;
  await Promise.all([load('cbor'), load('protobuf')]);
  expect(bodyOf({ format: 'cbor', payload: '{"n":{{n}}}' })).toEqual({ base64: btoa('\xa1an\x03') });
  const files = [{ name: 'a.proto', text: 'syntax = "proto3"; message A { int32 n = 1; }' }];
  expect(bodyOf({ format: 'protobuf', type: 'A', payload: '{"n":1}' }, files)).toEqual({
    base64: btoa('\x08\x01'),
  });
  expect(bodyOf({ format: 'base64', payload: '_-8 =' })).toEqual({ base64: '/+8=' });
  expect(bodyOf({ format: 'json', payload: '{"n":1}' })).toEqual({ text: '{"n":1}' });
  // What can't be published stays as it was typed.
  expect(bodyOf({ format: 'cbor', payload: '{' })).toEqual({ text: '{' });
});
