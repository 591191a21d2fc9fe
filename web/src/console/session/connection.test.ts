import { describe, expect, it, vi } from 'vitest';
import type { Client } from '../../client';
import { errorOf } from '../core/testing';
import type { Surroundings } from './explain';
import { plainSettings } from './settings';
import { config, deferred, down, embeddedUrl, fakeClient, page, publicUrl, reject, set } from './testing';

describe('manually', () => {
  it('is connected only after the first subscriptions are made', async () => {
    const { client } = fakeClient();
    const { connection, deps } = set(async () => client);
    const subscribing = deferred<void>();
    deps.onClient.mockReturnValue(subscribing.promise);
    connection.edit({ url: publicUrl, username: 'me', password: 'secret' });
    const connecting = connection.connect();
    await vi.waitFor(() => expect(deps.onClient).toHaveBeenCalled());
    expect(connection.status.value.phase).toBe('connecting');
    subscribing.resolve(undefined);
    await connecting;
    expect(connection.status.value.phase).toBe('connected');
    expect(deps.connect.mock.calls[0]?.[0]).toMatchObject({
      username: 'me',
      password: 'secret',
      clean: true,
    });
    expect(deps.connect.mock.calls[0]?.[0]).not.toHaveProperty('clientId');
  });

  it('shows an invalid setting at its field, until edited', async () => {
    const { connection } = set(() =>
      reject({ code: 'bad-option', message: 'url: not a valid URL', field: 'url' }),
    );
    connection.edit({ url: 'nonsense' });
    await connection.connect();
    expect(connection.fieldErrors.value).toEqual({ url: 'Not a valid URL' });
    expect(connection.notice.value).toBeUndefined();
    connection.edit({ keepalive: '5' });
    expect(connection.fieldErrors.value).toEqual({ url: 'Not a valid URL' });
    connection.edit({ url: 'ws://' });
    expect(connection.fieldErrors.value).toEqual({});
  });

  it('does not probe if the broker gave a reason', async () => {
    const { connection, deps } = set(() => reject({ code: 'refused', message: 'no', reasonCode: 0x86 }));
    connection.edit({ url: publicUrl });
    await connection.connect();
    expect(connection.notice.value).toMatchObject({ tone: 'error', detail: 'Broker’s reason 0x86' });
    expect(deps.survey).not.toHaveBeenCalled();
  });

  it('uses the error’s own message until a better explanation has loaded', async () => {
    const { connection, deps } = set(() => reject({ code: 'refused', message: 'banned', reasonCode: 0x8a }));
    deps.explainer.mockRejectedValueOnce(new TypeError('Failed to fetch'));
    connection.edit({ url: publicUrl });
    await connection.connect();
    expect(connection.notice.value).toMatchObject({ title: 'No connection', advice: 'banned' });
    await connection.connect();
    expect(connection.notice.value).toMatchObject({ title: 'The broker has banned this client' });
  });

  it('disconnecting while connecting wins, even over a late connection', async () => {
    const late = fakeClient();
    const dialling = deferred<Client>();
    const { connection, deps } = set(() => dialling.promise);
    connection.edit({ url: publicUrl });
    const connecting = connection.connect();
    connection.disconnect();
    expect(deps.connect.mock.calls[0]?.[0].signal?.aborted).toBe(true);
    dialling.resolve(late.client);
    await connecting;
    expect(late.end).toHaveBeenCalledWith(true);
    expect(connection.status.value.phase).toBe('disconnected');
    expect(connection.client.value).toBeUndefined();
  });

  it('an outdated explanation does not reappear', async () => {
    const looking = deferred<Surroundings>();
    const { connection } = set(
      () => reject(down),
      () => looking.promise,
    );
    connection.edit({ url: publicUrl });
    await connection.connect();
    connection.dismiss();
    looking.resolve({ url: publicUrl, page, reach: 'silent' });
    await looking.promise;
    expect(connection.notice.value).toBeUndefined();
  });
});

describe('after connecting', () => {
  async function connected() {
    const fake = fakeClient();
    const made = set(async () => fake.client);
    made.connection.edit({ url: publicUrl });
    await made.connection.connect();
    return { ...made, ...fake };
  }

  it('follows a reconnect, showing the broker’s reason meanwhile', async () => {
    const { connection, emit } = await connected();
    emit('disconnect', { reasonCode: 0x8b, reasonString: 'upgrade' });
    emit('close', undefined);
    expect(connection.status.value.phase).toBe('reconnecting');
    expect(connection.notice.value).toMatchObject({
      tone: 'warning',
      title: 'The connection was lost. The broker is shutting down',
      detail: 'Broker’s reason 0x8B: “upgrade”',
    });
    emit('reconnect', { attempt: 2, delay: 10 });
    expect(connection.status.value.attempt).toBe(2);
    emit('connect', undefined as never);
    expect(connection.status.value).toEqual({ phase: 'connected', url: publicUrl });
    expect(connection.notice.value).toBeUndefined();
  });

  it('probes once for a series of failures', async () => {
    const { connection, emit, deps } = await connected();
    for (let attempt = 0; attempt < 3; attempt++) {
      emit('close', down as never);
      await vi.waitFor(() => expect(connection.notice.value?.title).toMatch(/Nothing answers/));
    }
    expect(deps.survey).toHaveBeenCalledTimes(1);
  });

  it('ends with the client, and says why', async () => {
    const { connection, emit, deps } = await connected();
    emit('end', errorOf({ code: 'disconnected', message: 'gone', reasonCode: 0x8e }));
    expect(connection.status.value.phase).toBe('disconnected');
    expect(connection.client.value).toBeUndefined();
    expect(connection.notice.value?.title).toMatch(/same client ID/);
    expect(deps.onGone).toHaveBeenCalledTimes(1);
  });

  it('ignores events of a previous client', async () => {
    const { connection, emit, end } = await connected();
    connection.disconnect();
    emit('close', down as never);
    emit('end', down as never);
    expect(end).toHaveBeenCalled();
    expect(connection.status.value.phase).toBe('disconnected');
    expect(connection.notice.value).toBeUndefined();
  });
});

describe('every option', () => {
  it('reaches the client as entered', async () => {
    const { client } = fakeClient();
    const { connection, deps } = set(async () => client);
    connection.edit({
      url: publicUrl,
      clean: false,
      sessionExpiryInterval: '3600',
      receiveMaximum: '10',
      maximumPacketSize: '65536',
      topicAliasMaximum: '5',
      autoAssignTopicAlias: true,
      requestResponseInformation: true,
      requestProblemInformation: false,
      userProperties: [
        ['b', '1'],
        ['a', '2'],
        ['b', '1'],
      ],
      shared: true,
      will: {
        topic: 'gone',
        payload: 'bye',
        qos: 1,
        retain: true,
        willDelayInterval: '5',
        properties: { ...plainSettings.will.properties, contentType: 'text/plain' },
      },
    });
    await connection.connect();
    expect(deps.connect.mock.calls[0]?.[0]).toEqual({
      url: publicUrl,
      connectTimeout: 15_000,
      signal: expect.any(AbortSignal),
      keepalive: 60,
      clean: false,
      autoAssignTopicAlias: true,
      shared: true,
      properties: {
        sessionExpiryInterval: 3600,
        receiveMaximum: 10,
        maximumPacketSize: 65_536,
        topicAliasMaximum: 5,
        requestResponseInformation: true,
        requestProblemInformation: false,
        userProperties: [
          ['b', '1'],
          ['a', '2'],
          ['b', '1'],
        ],
      },
      will: {
        topic: 'gone',
        payload: 'bye',
        qos: 1,
        retain: true,
        properties: { contentType: 'text/plain', willDelayInterval: 5 },
      },
    });
  });

  it('that was left empty is omitted', async () => {
    const { client } = fakeClient();
    const { connection, deps } = set(async () => client);
    connection.edit({
      url: publicUrl,
      store: true,
      clientId: 'me',
      username: 'u',
      password: 'p',
      scram: true,
    });
    await connection.connect();
    expect(deps.connect.mock.calls[0]?.[0]).toEqual({
      url: publicUrl,
      connectTimeout: 15_000,
      signal: expect.any(AbortSignal),
      keepalive: 60,
      clientId: 'me',
      store: 'indexeddb',
      scram: { username: 'u', password: 'p' },
      properties: {},
    });
  });

  it.each([
    ['properties.receiveMaximum', 'receiveMaximum', { receiveMaximum: '1' }],
    ['will.properties.contentType', 'will.contentType', { will: plainSettings.will }],
    ['scram.password', 'password', { password: 'p' }],
  ])('invalid at %s shows at its field until edited', async (field, name, change) => {
    const { connection } = set(() => reject({ code: 'bad-option', message: `${field}: no`, field }));
    connection.edit({ url: publicUrl });
    await connection.connect();
    expect(connection.fieldErrors.value).toEqual({ [name]: 'No' });
    expect(connection.notice.value).toBeUndefined();
    connection.edit(change);
    expect(connection.fieldErrors.value).toEqual({});
  });
});

describe('a link', () => {
  it('to a broker on this server connects automatically', async () => {
    const { client } = fakeClient();
    const { connection, dialled } = set(async () => client);
    await connection.start(async () => config, embeddedUrl);
    expect(dialled).toEqual([embeddedUrl]);
    expect(connection.status.value.phase).toBe('connected');
  });

  it('to any other asks first', async () => {
    const { client } = fakeClient();
    const { connection, dialled } = set(async () => client);
    await connection.start(async () => config, 'ws://elsewhere.example/mqtt');
    expect(dialled).toEqual([]);
    expect(connection.status.value.phase).toBe('disconnected');
    expect(connection.notice.value?.title).toContain('ws://elsewhere.example/mqtt');
    await connection.connect();
    expect(dialled).toEqual(['ws://elsewhere.example/mqtt']);
  });
});

it('attempts at once on request', async () => {
  const { client, emit } = fakeClient();
  const reconnect = vi.fn(async () => {});
  const { connection } = set(async () => Object.assign(client, { reconnect }));
  connection.edit({ url: publicUrl });
  await connection.connect();
  emit('close', undefined);
  emit('reconnect', { attempt: 3, delay: 20_000 });
  expect(connection.status.value.nextAt).toBeGreaterThan(Date.now() + 15_000);
  connection.tryNow();
  expect(reconnect).toHaveBeenCalledTimes(1);
  expect(connection.status.value).toEqual({ phase: 'reconnecting', url: publicUrl, attempt: 3 });
});
