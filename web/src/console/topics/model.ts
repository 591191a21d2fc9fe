/**
 * The topics on which messages arrived, as a tree of their levels. The cost of a message is
 * proportional to the levels of its topic. The tree has two caps: messages on topics beyond them
 * are counted, not kept.
 */

import type { Message, MessageProperties, QoS } from '../../client';
import { detached } from '../../client/message';
import { rateSeconds } from '../core/timing';

/** Rows that the tree may have, and bytes, as `costOf` takes them. */
export const caps = { nodes: 200_000, bytes: 96 * 1024 * 1024 };

/** Below this depth, the rest of a topic is one level: a topic may have 65,536 levels. */
export const deepest = 64;

/** Bytes of a level besides its text: its object, its place in a Map, its value's objects. */
const nodeBytes = 400;

/** Bytes of properties that are decoded at once: the subscription identifiers of a few subscriptions. */
const smallProperties = 16;

/** Bytes of a message that is kept undecoded, besides its text, properties and payload. */
const recordBytes = 900;

/** The latest message of a topic, without its batch. */
export interface Value {
  /** Undefined if the caps left no room. */
  payload: Uint8Array | undefined;
  /** Bytes of the payload, kept or not. */
  size: number;
  qos: QoS;
  retain: boolean;
  /** Milliseconds since 1970. */
  at: number;
  /** Decoded when first read. */
  readonly properties: MessageProperties;
  /** The bytes that count against the cap. */
  held: number;
}

export interface TopicNode {
  readonly name: string;
  readonly parent: TopicNode | undefined;
  /** 1 at the first level; 0: the root. */
  readonly depth: number;
  /** A Map, because a level may have any name, such as `__proto__`. */
  children: Map<string, TopicNode> | undefined;
  /** The children in the order in which they were added. */
  list: TopicNode[];
  /** Undefined if no message arrived on the topic itself. */
  last: Value | undefined;
  /** Messages on the topic itself. */
  count: number;
  /** The same with everything below. */
  total: number;
  /** Topics, this and below. */
  topics: number;
  /** Whether the broker is known to retain a message for the topic. */
  retained: boolean;
  /** The `round` in which a retained message last arrived. */
  heard: number;
  /** Retained topics, this and below. */
  retainedBelow: number;
  /** For the rate: when the current second began, and how many whole ones there were before it. */
  second: number;
  seconds: number;
  /** Messages of that second and of the three before it, with everything below. */
  latest: number;
  before1: number;
  before2: number;
  before3: number;
  watchers: Set<(message: Message) => void> | undefined;
}

const none: TopicNode[] = [];

function createNode(name: string, parent: TopicNode | undefined): TopicNode {
  return {
    name,
    parent,
    depth: parent ? parent.depth + 1 : 0,
    children: undefined,
    list: none,
    last: undefined,
    count: 0,
    total: 0,
    topics: 0,
    retained: false,
    heard: 0,
    retainedBelow: 0,
    second: Number.NEGATIVE_INFINITY,
    seconds: 0,
    latest: 0,
    before1: 0,
    before2: 0,
    before3: 0,
    watchers: undefined,
  };
}

export function topicOf(node: TopicNode): string {
  let topic = node.name;
  for (let up = node.parent; up?.parent; up = up.parent) topic = `${up.name}/${topic}`;
  return topic;
}

const secondsSince = (node: TopicNode, now: number) => Math.floor((now - node.second) / 1000);

/** Messages a second, of the last three whole ones. `now` as for `push`. */
export function rateOf(node: TopicNode, now: number): number {
  const passed = secondsSince(node, now);
  const { latest, before1, before2, before3 } = node;
  const counts = [latest, before1, before2, before3].slice(
    passed > 0 ? 0 : 1,
    Math.max(0, rateSeconds + 1 - passed),
  );
  const sum = counts.reduce((all, count) => all + count, 0);
  return sum && sum / Math.min(rateSeconds, node.seconds + passed);
}

/** Counts a message for the rate, which begins anew after a pause. */
function rate(node: TopicNode, now: number): void {
  let passed = secondsSince(node, now);
  if (passed > rateSeconds) {
    node.second = now;
    node.seconds = node.latest = node.before1 = node.before2 = node.before3 = passed = 0;
  }
  for (; passed > 0; passed--) {
    node.before3 = node.before2;
    node.before2 = node.before1;
    node.before1 = node.latest;
    node.latest = 0;
    node.second += 1000;
    node.seconds++;
  }
  node.latest++;
}

const noProperties: MessageProperties = {};

function lazily(message: Message, about: Omit<Value, 'payload' | 'properties'>): Value {
  return {
    ...about,
    payload: message.payload,
    get properties() {
      return message.properties;
    },
  };
}

export type Model = ReturnType<typeof createModel>;

export function createModel(limits = caps) {
  let root = createNode('', undefined);
  /** In the order in which they became topics, which never changes. */
  let topics: TopicNode[] = [];
  let nodes = 0;
  let bytes = 0;
  let beyond = 0;
  let version = 0;
  let round = 0;

  /** The node of a topic, made when it is new unless told otherwise; undefined when that would go beyond the caps. */
  function place(topic: string, orElse: typeof grow | (() => undefined) = grow): TopicNode | undefined {
    let node = root;
    let from = 0;
    for (;;) {
      const end = node.depth + 1 < deepest ? topic.indexOf('/', from) : -1;
      const child = node.children?.get(end < 0 ? topic.slice(from) : topic.slice(from, end));
      if (!child) return orElse(node, topic, from);
      if (end < 0) return child;
      node = child;
      from = end + 1;
    }
  }

  function grow(below: TopicNode, topic: string, from: number): TopicNode | undefined {
    const names = topic.slice(from).split('/', deepest - below.depth);
    if (below.depth + names.length === deepest) {
      const before = names.slice(0, -1).reduce((length, name) => length + name.length + 1, 0);
      names[names.length - 1] = topic.slice(from + before);
    }
    // An engine may keep the whole topic for a part of it.
    const cost = names.length * nodeBytes + 2 * topic.length;
    if (nodes + names.length > limits.nodes || bytes + cost > limits.bytes) return undefined;
    nodes += names.length;
    bytes += cost;
    version++;
    let node = below;
    for (const name of names) {
      const child = createNode(name, node);
      if (!node.children) {
        node.children = new Map();
        node.list = [];
      }
      node.children.set(name, child);
      node.list.push(child);
      node = child;
    }
    return node;
  }

  function setRetained(node: TopicNode, retained: boolean): void {
    node.heard = round;
    if (node.retained === retained) return;
    node.retained = retained;
    for (let up: TopicNode | undefined = node; up; up = up.parent) up.retainedBelow += retained ? 1 : -1;
  }

  function keep(node: TopicNode, message: Message): void {
    const { payload, qos, retain, receivedAt: at, size: whole } = message;
    // Most messages have no properties but the client's own subscription identifier, which their
    // size shows.
    const rest = whole - payload.length - message.topic.length;
    const lazy = rest > smallProperties || (rest > 0 && message.properties.correlationData !== undefined);
    // The record, and its properties again once they are decoded.
    const cost = lazy ? 2 * whole - payload.length + recordBytes : payload.length + 2 * Math.max(0, rest);
    const room = limits.bytes - bytes + (node.last?.held ?? 0);
    const held = cost <= room ? cost : 0;
    bytes += held - (node.last?.held ?? 0);
    const about = { size: payload.length, qos, retain, at, held };
    if (cost > room) node.last = { ...about, payload: undefined, properties: noProperties };
    else if (lazy) node.last = lazily(detached(message), about);
    else {
      const properties = rest > 0 ? message.properties : noProperties;
      const bare = Object.keys(properties).length === 0;
      node.last = { ...about, payload: payload.slice(), properties: bare ? noProperties : properties };
    }
  }

  function push(messages: Message[], now: number): void {
    /** The last message of each topic: the bytes of the others need not be copied. */
    const latest = new Map<TopicNode, Message>();
    for (const message of messages) {
      const node = place(message.topic);
      if (!node) {
        beyond++;
        continue;
      }
      const isNew = node.count++ === 0;
      if (isNew) {
        topics.push(node);
        version++;
      }
      for (let up: TopicNode | undefined = node; up; up = up.parent) {
        up.total++;
        if (isNew) up.topics++;
        rate(up, now);
      }
      // An empty message deletes the retained one; without Retain As Published it arrives without
      // RETAIN (3.3.1.3).
      if (message.payload.length === 0) setRetained(node, false);
      else if (message.retain) setRetained(node, true);
      latest.set(node, message);
      if (node.watchers) for (const watcher of node.watchers) watcher(message);
    }
    for (const [node, message] of latest) keep(node, message);
  }

  function clear(): void {
    root = createNode('', undefined);
    topics = [];
    nodes = 0;
    bytes = 0;
    beyond = 0;
    version++;
  }

  /** Calls `watcher` with each message on the topic itself, until the returned is called. */
  function watch(node: TopicNode, watcher: (message: Message) => void): () => void {
    node.watchers ??= new Set();
    node.watchers.add(watcher);
    return () => {
      node.watchers?.delete(watcher);
      if (node.watchers?.size === 0) node.watchers = undefined;
    };
  }

  return {
    push,
    clear,
    watch,
    /** The node of a topic that is in the tree. */
    find: (topic: string) => place(topic, () => undefined),
    /** For what was cleared or restored, which the broker may not report. */
    setRetained,
    /** From now on retained messages may arrive again. */
    beginRound: () => ++round,
    get round() {
      return round;
    },
    get root() {
      return root;
    },
    get topics(): readonly TopicNode[] {
      return topics;
    },
    get nodes() {
      return nodes;
    },
    get bytes() {
      return bytes;
    },
    /** Messages whose topics had no room. */
    get beyond() {
      return beyond;
    },
    /** Changes when rows change. */
    get version() {
      return version;
    },
  };
}
