/**
 * A failed subscribe leaves no subscription behind; runs the real program against a broker that keeps the
 * session.
 */

import { afterEach, expect, test, vi } from 'vitest';
import { packet, startBroker, string } from './testing-broker';

let stop = (): void => {};
afterEach(() => stop());

/** A broker with one session that handles SUBSCRIBE as the test asks. */
async function sessionBroker(onSubscribe: () => 'answer' | 'cut' | 'nothing') {
  const subscribed = new Set<string>();
  const log: string[] = [];
  let connections = 0;
  const broker = await startBroker((bytes, socket) => {
    const [header = 0, , high = 0, low = 0] = bytes;
    const filters: string[] = [];
    const each = (optionBytes: number): void => {
      for (let at = 5 + (bytes[4] ?? 0); at < bytes.length; ) {
        const length = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
        filters.push(new TextDecoder().decode(bytes.subarray(at + 2, at + 2 + length)));
        at += 2 + length + optionBytes;
      }
    };
    switch (header >> 4) {
      case 1:
        return packet(0x20, connections++ > 0 ? 1 : 0, 0, 0);
      case 8: {
        each(1);
        log.push(`SUBSCRIBE ${filters}`);
        for (const filter of filters) subscribed.add(filter); // worst case: subscribed, but not acknowledged
        const what = onSubscribe();
        if (what === 'cut') socket.terminate();
        if (what !== 'answer') return undefined;
        return packet(0x90, high, low, 0, ...filters.map(() => 0));
      }
      case 10:
        each(0);
        log.push(`UNSUBSCRIBE ${filters}`);
        for (const filter of filters) subscribed.delete(filter);
        return packet(0xb0, high, low, 0, ...filters.map(() => 0));
      case 12:
        return packet(0xd0);
    }
    return undefined;
  });
  stop = broker.stop;
  const say = (topic: string): void => broker.send(packet(0x30, ...string(topic), 0));
  return { ...broker, subscribed, log, say };
}

const options = { clean: false, reconnectPeriod: 1, properties: { sessionExpiryInterval: 60 } };

test.each(['cut', 'nothing'] as const)(
  'after %s the broker keeps the filters of other subscriptions, and nothing else',
  async (how) => {
    let what: 'answer' | typeof how = 'answer';
    const broker = await sessionBroker(() => what);
    const client = await broker.connect({ ...options, clientId: how });
    const heard: string[] = [];
    await client.subscribe('theirs', () => void heard.push('theirs'));
    const back = new Promise<void>((resolve) => void client.once('connect', () => resolve()));
    what = how;
    const failing = ['mine', 'theirs'].map((filter) =>
      client.subscribe(
        filter,
        { timeout: how === 'cut' ? 10_000 : 100 },
        () => void heard.push(`failed ${filter}`),
      ),
    );
    for (const outcome of await Promise.allSettled(failing)) {
      expect(outcome).toMatchObject({ reason: { code: how === 'cut' ? 'network' : 'timeout' } });
    }
    what = 'answer';
    if (how === 'nothing') broker.cut();
    await back;
    await vi.waitFor(() => expect([...broker.subscribed]).toEqual(['theirs']));
    await client.ping();
    expect(broker.log.filter((line) => /UNSUBSCRIBE.*theirs/.test(line))).toEqual([]);
    const last = new Promise<void>(
      (resolve) => void client.on('message', (topic) => topic === 'end' && resolve()),
    );
    for (const topic of ['mine', 'theirs', 'end']) broker.say(topic);
    await last;
    expect(heard).toEqual(['theirs']);
    await client.end(true);
  },
);
