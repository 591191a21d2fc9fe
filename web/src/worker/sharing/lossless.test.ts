/** Tabs that share a session lose no messages, whatever happens to one of them or to the worker. */

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createOrigin, type Origin, passUntil, type Tab } from './testing-tabs';

/** Messages that each tab must receive: of its own topic, and of a common one. */
const [own, common] = [500, 100];
const seeds = Array.from({ length: 10 }, (_, n) => n + 1);

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance'],
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const pass = (time: number): Promise<void> => passUntil(() => false, time);

interface Message {
  topic: string;
  text: string;
  qos: 1 | 2;
}

const topicOf = (tab: number): string => `own/${tab}`;

/** Messages for `tabs` tabs, half of each topic at QoS 1 and half at QoS 2, in an order given by the seed. */
function messagesFor(tabs: number, { upTo }: Origin): Message[] {
  const messages: Message[] = [];
  const add = (topic: string, count: number): void => {
    for (let n = 0; n < count; n++) messages.push({ topic, text: `${topic} ${n}`, qos: n % 2 ? 1 : 2 });
  };
  add('common', common);
  for (let tab = 0; tab < tabs; tab++) add(topicOf(tab), own);
  for (let last = messages.length - 1; last > 0; last--) {
    const other = upTo(last);
    [messages[last], messages[other]] = [messages[other] as Message, messages[last] as Message];
  }
  return messages;
}

/** Publishes them in groups, within about `time` milliseconds. */
function publish(messages: Message[], { broker, upTo }: Origin, time: number): void {
  const rest = [...messages];
  const pause = Math.floor((time * 80) / messages.length);
  const send = (): void => {
    for (const { topic, text, qos } of rest.splice(0, 1 + upTo(80))) broker.publish(topic, text, qos);
    if (rest.length > 0) setTimeout(send, upTo(pause));
  };
  send();
}

/** Lost, repeated and unexpected messages, and errors. */
function faultsOf({ got, errors }: Tab, messages: Message[], index: number) {
  const times = new Map<string, number>();
  for (const { text } of got) times.set(text, (times.get(text) ?? 0) + 1);
  const wanted = messages.filter(({ topic }) => topic === 'common' || topic === topicOf(index));
  const texts = new Set(wanted.map(({ text }) => text));
  return {
    lost: wanted.flatMap(({ text }) => (times.has(text) ? [] : text)),
    doubled: wanted.flatMap(({ text, qos }) => (qos === 2 && (times.get(text) ?? 0) > 1 ? text : [])),
    strange: [...times.keys()].filter((text) => !texts.has(text)),
    // From an attempt made too soon.
    errors: errors.filter((code) => code !== 'crashed'),
  };
}

const none = { lost: [], doubled: [], strange: [], errors: [] };

const countsOf = ({ got }: Tab): number => new Set(got.map(({ text }) => text)).size;
const isComplete = (tab: Tab): boolean => tab.got.length >= own + common && countsOf(tab) >= own + common;

async function allReceived(tabs: Tab[]): Promise<void> {
  await passUntil(() => tabs.every(isComplete), 120_000);
  // Duplicates would arrive soon.
  await pass(1000);
}

async function connectAll(tabs: Tab[], most: number, { upTo }: Origin): Promise<void> {
  let connected = 0;
  for (const [index, tab] of tabs.entries()) {
    const connect = async (): Promise<void> => {
      await tab.connect(topicOf(index), 'common');
      connected++;
    };
    setTimeout(() => void connect(), upTo(most));
  }
  await passUntil(() => connected === tabs.length, 60_000);
  expect(connected).toBe(tabs.length);
}

interface Round {
  origin: Origin;
  tabs: Tab[];
  messages: Message[];
}

/** Returns the tabs that must receive everything. */
type Scenario = (round: Round) => Promise<Tab[]>;

const scenarios: Record<string, Scenario> = {
  async 'all opened at once with queued messages'({ origin, tabs, messages }) {
    origin.broker.keep(['common', ...tabs.map((_, index) => topicOf(index))]);
    for (const { topic, text, qos } of messages) origin.broker.publish(topic, text, qos);
    await connectAll(tabs, 8000, origin);
    return tabs;
  },

  async 'the tab that runs the worker crashes'({ origin, tabs, messages }) {
    await connectAll(tabs, 100, origin);
    publish(messages, origin, 3000);
    await pass(origin.upTo(3000));
    const [host, ...others] = tabs as [Tab, ...Tab[]];
    host.crash();
    origin.killWorker();
    return others;
  },

  async 'the worker is killed, and perhaps the next one'({ origin, tabs, messages }) {
    await connectAll(tabs, 100, origin);
    publish(messages, origin, 4000);
    for (let times = 1 + origin.upTo(1); times > 0; times--) {
      await pass(origin.upTo(3000));
      await passUntil(() => tabs.every((tab) => tab.connected()), 60_000);
      origin.killWorker();
    }
    return tabs;
  },

  async 'one is frozen for a while'({ origin, tabs, messages }) {
    await connectAll(tabs, 100, origin);
    publish(messages, origin, 8000);
    const frozen = tabs[origin.upTo(tabs.length - 1)] as Tab;
    await pass(origin.upTo(3000));
    frozen.freeze();
    const before = countsOf(frozen);
    await pass(origin.upTo(12_000));
    expect(countsOf(frozen)).toBe(before);
    frozen.thaw();
    return tabs;
  },

  async 'one is unresponsive for a while, and the others continue'({ origin, tabs, messages }) {
    await connectAll(tabs, 100, origin);
    publish(messages, origin, 8000);
    const hanging = tabs[origin.upTo(tabs.length - 1)] as Tab;
    await pass(origin.upTo(3000));
    hanging.hang();
    await pass(6000 + origin.upTo(4000));
    const others = tabs.filter((tab) => tab !== hanging);
    const before = others.map(countsOf);
    await pass(8000);
    expect(others.map((tab, index) => isComplete(tab) || countsOf(tab) > (before[index] ?? 0))).toEqual(
      others.map(() => true),
    );
    hanging.goOn();
    return tabs;
  },

  async 'all are frozen, and resume one by one'({ origin, tabs, messages }) {
    await connectAll(tabs, 100, origin);
    publish(messages, origin, 8000);
    for (const tab of tabs) {
      await pass(origin.upTo(2000));
      tab.freeze();
    }
    await pass(origin.upTo(12_000));
    for (const tab of tabs) {
      tab.thaw();
      await pass(origin.upTo(2000));
    }
    return tabs;
  },
};

const combinations = Object.keys(scenarios).flatMap((scenario) =>
  [2, 3, 5].flatMap((tabs) =>
    ['a session', 'a store'].map((kind) => [tabs, kind, scenario] as [number, string, string]),
  ),
);

test.each(combinations)('%i tabs with %s: %s', { timeout: 60_000 }, async (count, kind, scenario) => {
  for (const seed of seeds) {
    const origin = createOrigin(seed * 1000 + count, kind === 'a store');
    vi.spyOn(Math, 'random').mockImplementation(origin.next);
    const tabs = Array.from({ length: count }, origin.openTab);
    const messages = messagesFor(count, origin);
    const receivers = await (scenarios[scenario] as Scenario)({ origin, tabs, messages });
    await allReceived(receivers);
    const faults = receivers.map((tab) => faultsOf(tab, messages, tabs.indexOf(tab)));
    expect({ seed, faults }).toEqual({ seed, faults: receivers.map(() => none) });
    vi.clearAllTimers();
  }
});

test('QoS 2 messages arrive once if the worker is killed while acknowledgements wait for a frozen tab', async () => {
  for (const seed of seeds) {
    const origin = createOrigin(seed, false);
    vi.spyOn(Math, 'random').mockImplementation(origin.next);
    const [a, b] = [origin.openTab(), origin.openTab()];
    await connectAll([a, b], 100, origin);
    b.freeze();
    await pass(100);
    const texts = Array.from({ length: 15 }, (_, n) => `${n}`);
    for (const text of texts) {
      origin.broker.publish('common', text, 2);
      await pass(200 + origin.upTo(100));
    }
    origin.killWorker();
    await pass(origin.upTo(1000));
    b.thaw();
    await pass(20_000);
    const got = [a, b].map((tab) => tab.got.map(({ text }) => text));
    expect({ seed, got }).toEqual({ seed, got: [texts, texts] });
    vi.clearAllTimers();
  }
});
