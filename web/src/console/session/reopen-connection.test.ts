import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Client } from '../../client';
import { keptOf } from './keep';
import type { Session } from './session';
import { plainSettings, type Settings } from './settings';
import { config, down, embeddedUrl, fakeClient, publicUrl } from './testing';
import { draft, kept, opened, openedPage, pageOf, stubBrowser, topicsOf } from './testing-reopen';

beforeEach(() => {
  stubBrowser(() => 'reload');
});
afterEach(() => {
  vi.unstubAllGlobals();
});

describe('one connection', () => {
  it('restores its address, options, topics and form', () => {
    const settings: Settings = { ...plainSettings, url: 'ws://one/mqtt', keepalive: '7', username: 'me' };
    const before = {
      ...draft,
      topic: 'a/{{n}}',
      payload: '{"x":1}',
      format: 'cbor' as const,
      qos: 1 as const,
      retain: true,
      properties: {
        ...draft.properties,
        contentType: 'x',
        userProperties: [['a', 'b']] as [string, string][],
      },
      repeat: true,
      seconds: '0.5',
      times: '3',
    };
    const subscriptions = [
      { filter: 'mqttwasm/old/#', qos: 2 as const },
      { filter: 'plant/+', qos: 1 as const },
    ];
    const { lives, dialled } = opened([kept('one', { settings, subscriptions, draft: before, next: 7 })]);
    expect(dialled).toEqual(['ws://one/mqtt']);
    expect(lives).toHaveLength(1);
    expect(lives[0]?.connection.settings.value).toEqual(settings);
    expect(topicsOf(lives[0])).toEqual([['mqttwasm/old/# 2', 'plant/+ 1'], 'a/{{n}}']);
    expect(lives[0]?.publisher.draft.value).toEqual({ ...before, file: undefined });
    expect(lives[0]?.publisher.next.value).toBe(7);
    expect(lives[0]?.publisher.repeating.value).toBeUndefined();
  });

  it('restores the file in its form', () => {
    const before = openedPage();
    const file = { name: 'a.bin', bytes: Uint8Array.of(0, 0xff, 0x80) };
    before.connections.active.value.publisher.edit({ file, payload: 'typed' });
    const after = openedPage();
    after.open(before.left());
    const { draft, fieldErrors } = after.connections.active.value.publisher;
    expect(draft.value).toMatchObject({ file, payload: 'typed' });
    expect(fieldErrors.value).toEqual({});
  });

  it('names a file that was too large to store', async () => {
    const before = openedPage();
    const file = { name: 'a.bin', bytes: new Uint8Array(1024 * 1024 + 1) };
    before.connections.active.value.publisher.edit({ file, payload: 'typed' });
    const left = before.left();
    expect(JSON.stringify(left).length).toBeLessThan(10_000);
    const after = openedPage();
    after.open(left);
    const { draft, fieldErrors, attach } = after.connections.active.value.publisher;
    expect(draft.value).toMatchObject({ file: undefined, payload: 'typed' });
    expect(fieldErrors.value.payload).toMatch(/a\.bin.*attach it again/);
    await attach(new File(['x'], 'a.bin'));
    expect(fieldErrors.value).toEqual({});
  });

  it('restores no file if the stored one is invalid', () => {
    for (const file of [7, { name: 7, base64: 'AA==' }, { name: 'a.bin', base64: '!' }]) {
      const { lives } = opened([{ ...kept('one'), draft: { ...draft, file } }]);
      expect(lives[0]?.publisher.draft.value.file).toBeUndefined();
    }
  });

  it('restores its subscriptions with all their options', () => {
    const subscriptions = [
      { filter: 'mqttwasm/old/#', qos: 2 as const, own: true, auto: 180 },
      { filter: 'a', qos: 0 as const, nl: true, rap: true, rh: 2 as const, identifier: 7, auto: 200 },
      { filter: 'b', qos: 1 as const, name: 'B', hue: 25, paused: true },
    ];
    const { lives } = opened([kept('one', { subscriptions })]);
    expect(keptOf(lives[0] as Session).subscriptions).toEqual(subscriptions);
    lives[0]?.subscriptions.setOwn(false);
    expect(topicsOf(lives[0])[0]).toEqual(['a 0', 'b 1']);
  });

  it('restores its fleet form, whatever its number now', () => {
    const before = openedPage();
    before.connections.open().fleetForm.value = { devices: '42' };
    before.connections.close(before.lives()[0] as Session);
    const after = openedPage();
    after.open(before.left());
    expect(after.lives().map(({ fleetForm }) => fleetForm.value)).toEqual([{ devices: '42' }]);
  });

  it('restores no subscriptions if it had none', () => {
    const { lives } = opened([kept('one', { subscriptions: [] })]);
    expect(topicsOf(lives[0])).toEqual([[], 'mqttwasm/one/hello']);
  });

  it('stays disconnected if the user had disconnected it', async () => {
    const before = openedPage(async () => fakeClient().client);
    before.open(pageOf([kept('one')]));
    const { connection } = before.connections.active.value;
    await vi.waitFor(() => expect(connection.status.value.phase).toBe('connected'));
    connection.disconnect();
    const after = openedPage();
    after.open(before.left());
    expect(after.dialled).toEqual([]);
    expect(after.connections.active.value.connection.settings.value.url).toBe('ws://one/mqtt');
    expect(after.connections.active.value.connection.status.value.phase).toBe('disconnected');
  });

  it('retries a failed connection', async () => {
    const before = openedPage(() => Promise.reject(down));
    before.open(pageOf([kept('one')]));
    const { connection } = before.connections.active.value;
    await vi.waitFor(() => expect(connection.status.value.phase).toBe('disconnected'));
    const after = openedPage();
    after.open(before.left());
    expect(after.dialled).toEqual(['ws://one/mqtt']);
  });

  it('reconnects to the address in use, not to one that was only typed', async () => {
    const before = openedPage(async () => fakeClient().client);
    before.open(pageOf([kept('one')]));
    const { connection } = before.connections.active.value;
    await vi.waitFor(() => expect(connection.status.value.phase).toBe('connected'));
    connection.edit({ url: publicUrl });
    const after = openedPage();
    after.open(before.left());
    expect(after.dialled).toEqual(['ws://one/mqtt']);
  });

  it("does not dial an address from a link without the user's consent", async () => {
    const before = openedPage();
    const { connection } = before.connections.active.value;
    void connection.start(() => new Promise(() => {}), 'ws://elsewhere.example/mqtt');
    const after = openedPage();
    after.open(before.left());
    expect(after.dialled).toEqual([]);
  });
});

describe('the default broker', () => {
  const load = async () => config;
  const embedded = async (url: string): Promise<Client> => {
    if (url !== embeddedUrl) throw down;
    return fakeClient().client;
  };
  const own = ({ connections }: ReturnType<typeof openedPage>) => connections.active.value.connection;

  /** A newly opened page, once it has finished starting. */
  async function fresh(reach: (url: string) => Promise<Client>, brokers = load) {
    const page = openedPage(reach, brokers);
    await own(page).start(brokers);
    return page;
  }

  it('is used as on load, with the embedded one as fallback', async () => {
    const before = await fresh(async () => fakeClient().client);
    expect(before.dialled).toEqual([publicUrl]);
    const after = openedPage(embedded, load);
    after.open(before.left());
    await vi.waitFor(() => expect(own(after).status.value).toEqual({ phase: 'connected', url: embeddedUrl }));
    expect(after.dialled).toEqual([publicUrl, embeddedUrl]);
    expect(topicsOf(after.lives()[0])).toEqual(topicsOf(before.lives()[0]));
  });

  it('is not tried again after the fallback, until the user asks', async () => {
    const before = await fresh(embedded);
    const after = openedPage(async () => fakeClient().client, load);
    after.open(before.left());
    await vi.waitFor(() => expect(own(after).notice.value?.title).toMatch(/^Still using “This server”/));
    expect(own(after).status.value).toEqual({ phase: 'connected', url: embeddedUrl });
    expect(after.dialled).toEqual([embeddedUrl]);
    // The same at the next reload.
    const later = openedPage(async () => fakeClient().client, load);
    later.open(after.left());
    await vi.waitFor(() => expect(own(later).notice.value?.retry?.name).toBe('EMQX public broker'));
    expect(later.dialled).toEqual([embeddedUrl]);
  });

  it('is tried again after the fallback if it is private too', async () => {
    const inside = { name: 'inside', url: 'ws://10.0.0.5:8083/mqtt', default: true };
    const brokers = async () => ({ version: '', brokers: [inside, ...config.brokers.slice(-1)] });
    const before = await fresh(embedded, brokers);
    expect(before.dialled).toEqual([inside.url, embeddedUrl]);
    const after = openedPage(async () => fakeClient().client, brokers);
    after.open(before.left());
    await vi.waitFor(() => expect(own(after).status.value).toEqual({ phase: 'connected', url: inside.url }));
    expect(after.dialled).toEqual([inside.url]);
    expect(own(after).notice.value).toBeUndefined();
  });

  it('is not tried if the embedded one is down after the fallback', async () => {
    const before = await fresh(embedded);
    const after = openedPage(() => Promise.reject(down), load);
    after.open(before.left());
    await vi.waitFor(() => expect(own(after).status.value.phase).toBe('disconnected'));
    await vi.waitFor(() => expect(own(after).notice.value?.tone).toBe('error'));
    expect(after.dialled).toEqual([embeddedUrl]);
  });

  it('is tried first again if neither could be reached', async () => {
    const before = await fresh(() => Promise.reject(down));
    expect(before.dialled).toEqual([publicUrl, embeddedUrl]);
    const after = openedPage(async () => fakeClient().client, load);
    after.open(before.left());
    await vi.waitFor(() => expect(own(after).status.value).toEqual({ phase: 'connected', url: publicUrl }));
  });

  it('does not replace the broker in use if it has changed', async () => {
    const inside = 'ws://10.0.0.5:8083/mqtt';
    const before = await fresh(
      async () => fakeClient().client,
      async () => ({ version: '', brokers: [{ name: 'inside', url: inside, default: true }] }),
    );
    const after = openedPage(() => Promise.reject(down), load);
    after.open(before.left());
    await vi.waitFor(() => expect(own(after).notice.value?.tone).toBe('error'));
    expect(after.dialled).toEqual([inside]);
  });

  it('is used if the page was reloaded before its configuration was known', async () => {
    const before = openedPage();
    void own(before).start(() => new Promise(() => {}));
    const after = openedPage(async () => fakeClient().client, load);
    after.open(before.left());
    await vi.waitFor(() => expect(own(after).status.value).toEqual({ phase: 'connected', url: publicUrl }));
  });

  it('if private, does not fall back to a public one', async () => {
    const before = await fresh(async () => fakeClient().client);
    own(before).edit({ url: 'ws://192.168.1.7/mqtt' });
    await own(before).connect();
    const after = openedPage(
      (url) => (url === publicUrl ? Promise.resolve(fakeClient().client) : Promise.reject(down)),
      load,
    );
    after.open(before.left());
    await vi.waitFor(() => expect(own(after).notice.value?.tone).toBe('error'));
    expect(after.dialled).toEqual(['ws://192.168.1.7/mqtt']);
  });
});
