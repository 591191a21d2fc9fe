import { signal } from '@preact/signals';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Client, type ConnectOptions, MqttError } from '../../client';
import { connectBy } from './login';
import { loginFrom } from './login-fields';
import { plainSettings, type Settings } from './settings';

const url = 'wss://a1-ats.iot.eu-west-1.amazonaws.com/mqtt';

/** A connection with these settings: the options it dials with, and the form. */
async function connecting(changes: Partial<Settings>, given: ConnectOptions = {}) {
  const settings = signal<Settings>({ ...plainSettings, url, ...changes });
  const tell = vi.fn();
  const listeners: string[] = [];
  const client = { on: (event: string) => listeners.push(event) && client } as unknown as Client;
  let dialled: ConnectOptions = {};
  const options: ConnectOptions = {
    url,
    username: 'me',
    password: 'pw',
    properties: { receiveMaximum: 7 },
    ...given,
  };
  await connectBy({ settings, tell }, options, async (all) => {
    dialled = all;
    return client;
  });
  return { dialled, settings, tell, listeners };
}

const addressOf = async ({ transformWsUrl, ...all }: ConnectOptions) =>
  new URL((await transformWsUrl?.(url, all)) ?? 'none:');

const keys = { accessKeyId: 'AK', secretAccessKey: 'SK', sessionToken: 'ST' };

afterEach(() => void vi.unstubAllGlobals());

describe('each kind', () => {
  it('signs for AWS IoT, and sends no user name', async () => {
    const { dialled } = await connecting({ login: { kind: 'sigv4' }, secrets: keys });
    const { searchParams } = await addressOf(dialled);
    expect(searchParams.get('X-Amz-Credential')).toMatch(/^AK\/\d{8}\/eu-west-1\/iotdevicegateway/);
    expect(searchParams.get('X-Amz-Security-Token')).toBe('ST');
    expect(dialled).not.toHaveProperty('username');
    expect(dialled).not.toHaveProperty('password');
  });

  it('uses a custom authorizer, with username and password', async () => {
    const { dialled } = await connecting({
      login: { kind: 'authorizer', authorizer: 'mine', tokenKey: 'who' },
      secrets: { token: 'T', signature: 'S==' },
    });
    expect((await addressOf(dialled)).search).toBe(
      '?x-amz-customauthorizer-name=mine&who=T&x-amz-customauthorizer-signature=S%3D%3D',
    );
    expect(dialled).toMatchObject({ username: 'me', password: 'pw' });
  });

  it('sends a JSON Web Token as authentication data, and renews it', async () => {
    const { dialled, listeners } = await connecting({ login: { kind: 'jwt' }, secrets: { token: 'T' } });
    expect(dialled.properties).toEqual({ receiveMaximum: 7, authenticationMethod: 'OAUTH2-JWT' });
    expect(await dialled.authenticate?.({ phase: 'start', method: '' })).toBe('T');
    expect(dialled).not.toHaveProperty('password');
    expect(listeners).toEqual(['connect', 'end']);
  });

  it.each([
    ['password', async ({ credentials }: ConnectOptions) => credentials?.()],
    [undefined, async ({ credentials }: ConnectOptions) => credentials?.()],
    ['jwt', async ({ authenticate }: ConnectOptions) => authenticate?.({ phase: 'start', method: '' })],
  ])('fetches a token for each attempt, to be used as %s', async (use, ask) => {
    let n = 0;
    const fetched = vi.fn(async (_: URL) => new Response(`t${++n}`));
    vi.stubGlobal('fetch', fetched);
    const { dialled } = await connecting({
      username: 'you',
      login: { kind: 'url', tokenUrl: 'https://auth.example/token', ...(use && { use }) },
      secrets: { tokenQuery: '?key=K' },
    });
    const wanted = (token: string) =>
      use && use !== 'password' ? token : { username: 'you', password: token };
    expect([await ask(dialled), await ask(dialled)]).toEqual([wanted('t1'), wanted('t2')]);
    expect(String(fetched.mock.calls[0]?.[0])).toBe('https://auth.example/token?key=K');
  });
});

it('a signed address must belong to the broker in the form', async () => {
  const addresses = [
    `${url}?signature=x`,
    'wss://evil.example/mqtt',
    '<html>',
    'wss://a1-ats.iot.eu-west-1.amazonaws.com:444/',
  ];
  vi.stubGlobal('fetch', async () => new Response(JSON.stringify({ token: addresses.shift() })));
  const login = { kind: 'url', tokenUrl: 'https://auth.example/sign', use: 'address' };
  const { dialled } = await connecting({ login });
  expect(await dialled.transformWsUrl?.(url, {})).toBe(`${url}?signature=x`);
  for (let n = 0; n < 3; n++) {
    await expect(dialled.transformWsUrl?.(url, {})).rejects.toThrow('no address of a1-ats.iot');
  }
});

describe('edits to the form', () => {
  it('apply at the next attempt', async () => {
    const { dialled, settings } = await connecting({ login: { kind: 'jwt' }, secrets: { token: 'old' } });
    settings.value = { ...settings.value, secrets: { token: 'new' } };
    expect(await dialled.authenticate?.({ phase: 'start', method: '' })).toBe('new');
  });

  it.each<Partial<Settings>>([{ url: 'wss://other.example/' }, { login: { kind: 'authorizer' } }])(
    'send no credentials to another broker: %j',
    async (changes) => {
      const { dialled, settings } = await connecting({ login: { kind: 'jwt' }, secrets: { token: 'old' } });
      settings.value = { ...settings.value, ...changes, secrets: { token: 'theirs' } };
      expect(await dialled.authenticate?.({ phase: 'start', method: '' })).toBe('old');
    },
  );

  it('have no effect if the page switches to another broker than the form’s', async () => {
    const login = { login: { kind: 'sigv4' }, secrets: keys };
    const { dialled } = await connecting(login, { url: 'ws://broker.emqx.io:8083/mqtt' });
    expect(dialled.transformWsUrl).toBeUndefined();
  });
});

it.each<[field: string, changes: Partial<Settings>]>([
  ['login.region', { login: { kind: 'sigv4', region: 'eu west' }, secrets: keys }],
  ['login.tokenUrl', { login: { kind: 'url', tokenUrl: 'ftp://x' } }],
])('errors are shown at %s', async (field, changes) => {
  const failed = connecting(changes);
  await expect(failed).rejects.toMatchObject({ code: 'bad-option', field });
  await expect(failed).rejects.toThrow(new RegExp(`^${field}: `));
});

it('errors that the client finds during an attempt are shown at the field, too', async () => {
  const settings = signal<Settings>({ ...plainSettings, url, login: { kind: 'sigv4' } });
  const connect = async (all: ConnectOptions): Promise<Client> => {
    await all.transformWsUrl?.(url, all);
    throw new Error('it should have thrown');
  };
  await expect(connectBy({ settings, tell: vi.fn() }, { url }, connect)).rejects.toMatchObject({
    field: 'secrets.accessKeyId',
    message: 'secrets.accessKeyId: is missing',
  });
  const other = new MqttError('bad-option', 'keepalive: must be a number', { field: 'keepalive' });
  await expect(connectBy({ settings, tell: vi.fn() }, { url }, () => Promise.reject(other))).rejects.toBe(
    other,
  );
});

describe('a login from a file', () => {
  it('has only known text fields', () => {
    const login = { kind: 'jwt', method: 'M', region: 5, __proto__: { x: 1 }, more: 'x', use: '' };
    expect(loginFrom(login, { token: 'T', password: 'p', signature: 'x'.repeat(70_000) })).toEqual({
      login: { kind: 'jwt', method: 'M' },
      secrets: { token: 'T' },
    });
  });

  it('of an unknown kind is ignored, whatever it contains', () => {
    for (const kind of ['', 'kerberos', '__proto__', undefined]) {
      expect(loginFrom({ kind, method: 'M' }, { token: 'T' })).toEqual({ login: {}, secrets: {} });
    }
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (login, secrets) => {
        const read = loginFrom(login, secrets);
        const values = [...Object.values(read.login), ...Object.values(read.secrets)];
        expect(values.every((value) => typeof value === 'string')).toBe(true);
      }),
    );
  });
});
