/** The guide's tables list every name in MQTT.js, and their claims hold. */

import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import * as compat from './index';
import committed from './mqttjs-names.json';
import { installedNames, type Names } from './testing-mqttjs';
import type { MqttClientEventCallbacks } from './types';

type Kind = Exclude<keyof Names, 'version'>;

interface Row {
  name: string;
  verdict: string;
  note: string;
}

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

const guide = read('../../docs/moving-from-mqttjs.md');

/** The headings above the tables. */
const headings: Record<Kind, string> = {
  options: '## connect(url, options)',
  client: '## The client',
  publish: '### Options of publish',
  subscribe: '### Options of subscribe',
  unsubscribe: '### Options of unsubscribe',
  events: '## Events',
  exports: '## Exports',
};
const kinds = Object.keys(headings) as Kind[];

/** A row for each name in a first column. */
function rows(kind: Kind): Row[] {
  const [, after = ''] = guide.split(`\n${headings[kind]}\n`);
  const [section = ''] = after.split(/^##/m);
  return [...section.matchAll(/^\| (`.*?) \| (\w+) \| ?(.*?) ?\|$/gm)].flatMap(
    ([, names = '', verdict = '', note = '']) =>
      [...names.matchAll(/`(\w+)[^`]*`/g)].map(([, name = '']) => ({ name, verdict, note })),
  );
}

const present = (kind: Kind) => rows(kind).filter(({ verdict }) => verdict !== 'missing');
const missing = (kind: Kind) => rows(kind).filter(({ verdict }) => verdict === 'missing');

test('the names are those of the mqtt package, if installed', () => {
  expect(installedNames() ?? committed).toEqual(committed);
});

describe.each(kinds)('%s', (kind) => {
  test('each name of MQTT.js has one row', () => {
    const names = rows(kind).map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
    expect(names.filter((name) => name !== 'addListener').sort()).toEqual([...committed[kind]].sort());
    for (const { verdict } of rows(kind)) expect(['same', 'differs', 'missing']).toContain(verdict);
  });
});

/** A value that no option accepts. */
const wrong = 1n;
const clients: compat.MqttClient[] = [];

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.endAsync(true)));
});

function connect(options: object): compat.MqttClient {
  const client = compat.connect({ manualConnect: true, worker: false, WebSocket, ...options });
  clients.push(client);
  return client;
}

describe('options of connect', () => {
  const url = 'ws://127.0.0.1:1/';
  const ofAddress = ['protocol', 'port', 'path'];

  test.each(present('options'))('$name is validated', ({ name }) => {
    const address = name.startsWith('host')
      ? {}
      : ofAddress.includes(name)
        ? { host: 'broker.test' }
        : { url };
    const failure = expect.objectContaining({ code: 'bad-option', field: name });
    expect(() => connect({ ...address, [name]: wrong })).toThrow(failure);
  });

  test.each(missing('options'))('$name is not offered: $note', ({ name, note }) => {
    expect(note).toMatch(/^(throws|ignored)/);
    const call = () => connect({ url, [name]: {} });
    if (note.startsWith('throws')) expect(call).toThrow(expect.objectContaining({ field: name }));
    else expect(call).not.toThrow();
  });
});

describe('options of calls', () => {
  const calls = {
    publish: (client: compat.MqttClient, options: object) => client.publishAsync('a', 'b', options),
    subscribe: (client: compat.MqttClient, options: object) => client.subscribeAsync('a', options),
    unsubscribe: (client: compat.MqttClient, options: object) => client.unsubscribeAsync('a', options),
  };
  const given = (Object.keys(calls) as (keyof typeof calls)[]).flatMap((kind) =>
    rows(kind).map((row) => ({ kind, ...row })),
  );

  test.each(given)('$kind: $name is $verdict', async ({ kind, name, verdict, note }) => {
    const client = connect({ url: 'ws://127.0.0.1:1/' });
    const outcome = calls[kind](client, { [name]: wrong }).catch((error: unknown) => error);
    if (verdict === 'missing') expect(note).toMatch(/^ignored/);
    await client.endAsync();
    expect(await outcome).toMatchObject(
      verdict === 'missing' ? { code: 'not-connected' } : { code: 'bad-option', field: name },
    );
  });
});

test('methods and fields exist or not, as the guide says', () => {
  const client = connect({ url: 'ws://127.0.0.1:1/' });
  const there = ({ name }: Row) => name in client || name in compat.MqttClient;
  expect(present('client').filter((row) => !there(row))).toEqual([]);
  expect(missing('client').filter(there)).toEqual([]);
});

test('events exist or not, as the guide says', () => {
  const events: Record<keyof MqttClientEventCallbacks, true> = {
    connect: true,
    message: true,
    reconnect: true,
    close: true,
    offline: true,
    disconnect: true,
    error: true,
    end: true,
    outgoingEmpty: true,
    packetsend: true,
    packetreceive: true,
  };
  const names = present('events').map(({ name }) => name);
  expect(names.sort()).toEqual(Object.keys(events).sort());
});

test('exports exist or not, as the guide says', () => {
  const types = [...read('./types.ts').matchAll(/^export (?:type|interface) (\w+)/gm)].map(
    ([, name]) => name,
  );
  const there = ({ name }: Row) => name in compat || types.includes(name);
  expect(present('exports').filter((row) => !there(row))).toEqual([]);
  expect(missing('exports').filter(there)).toEqual([]);
  for (const name of Object.keys(compat.default)) expect(compat).toHaveProperty(name);
});
