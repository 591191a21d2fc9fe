/**
 * For tests: tabs of an origin that share a client, whole from the page's client to
 * the registry. What lies between and behind is played: the ports, the Go program,
 * the network and the broker's session, with delays and an order that a seed decides.
 */

import { vi } from 'vitest';
import { connectSettings } from '../../client/checks/options';
import { startClient } from '../../client/client';
// Loaded by now: clients load it when they start, and no time passes for that here.
import '../../client/receiving';
import { encodeBatch } from '../../client/testing';
import { connack } from '../../client/testing-client';
import { createCalls, type Engine } from '../../client/transport/calls';
import { restartAfterCrash } from '../../client/transport/restart-after-crash';
import type { ClientState } from '../../client/types';
import type { Boundary, GoClient, SubscribeAck } from '../../protocol/boundary';
import type { FromWorker, ToSharedWorker } from '../../protocol/messages';
import { dispatch } from '../dispatcher';
import { createRegistry } from './registry';
import { type Broker, createBroker, createLine, type Link, type Packet } from './testing-broker';
import { random } from './testing-random';

const crashed = { code: 'crashed', message: 'gone' };

const realImmediate = setImmediate;

/** Lets time pass until the condition holds, or for so many milliseconds. Nothing else takes any. */
export async function passUntil(condition: () => boolean, limit: number): Promise<void> {
  let over = false;
  const timer = setTimeout(() => {
    over = true;
  }, limit);
  for (;;) {
    await new Promise<void>((resolve) => void realImmediate(resolve));
    if (over || condition()) break;
    vi.advanceTimersToNextTimer();
  }
  clearTimeout(timer);
}

/** `stored` outlives it: identifiers of QoS 2 messages that were taken. */
function createProgram(broker: Broker, delay: () => number, stored: Set<number> | undefined) {
  let dead = false;
  const links = new Set<Link>();

  const connect: Boundary<GoClient>['connect'] = async ({ onBatch, onEvent, signal }) => {
    let link: Link | undefined;
    let busy = false;
    let inbox: Packet[] = [];
    let acknowledging = Promise.resolve();
    const taken = new Set(stored);
    const had = new Set(stored);

    function receive(packets: Packet[]): void {
      for (const packet of packets) {
        const { id, qos } = packet;
        if (qos === 2 && had.has(id)) {
          if (taken.has(id)) link?.acknowledge([id]);
          continue;
        }
        had.add(id);
        inbox.push(packet);
      }
      giveOn();
    }

    function giveOn(): void {
      if (busy || dead || inbox.length === 0) return;
      const packets = inbox;
      inbox = [];
      const messages = packets.map(({ text, ...rest }) => ({
        ...rest,
        payload: new TextEncoder().encode(text),
      }));
      const taking = onBatch(encodeBatch(messages), packets.length, 0);
      busy = true;
      acknowledging = acknowledging.then(() => taking).then(() => take(packets));
      (async () => {
        await (taking?.next ?? taking);
        busy = false;
        giveOn();
      })();
    }

    function take(packets: Packet[]): Promise<void> {
      return new Promise((resolve) =>
        setTimeout(() => {
          resolve();
          if (dead) return;
          for (const { id, qos } of packets) {
            taken.add(id);
            if (qos === 2) stored?.add(id);
          }
          link?.acknowledge(packets.map(({ id }) => id));
        }, delay()),
      );
    }

    function open(): Promise<void> {
      return new Promise((resolve, reject) => {
        signal?.addEventListener('abort', () => reject({ code: 'aborted', message: 'given up' }));
        const opened = broker.connect((sessionPresent) => {
          onEvent({ type: 'connect', connack: { ...connack, sessionPresent } });
          resolve();
        }, receive);
        link = opened;
        links.add(opened);
      });
    }

    function close(): void {
      link?.disconnect();
      link = undefined;
    }

    const ask = (name: 'subscribe' | 'unsubscribe', list: string[]): Promise<SubscribeAck> =>
      new Promise((resolve) => link?.[name](list, () => resolve({ reasonCodes: list.map(() => 0) })));
    const client = {
      subscribe: (list: { topic: string }[]) =>
        ask(
          'subscribe',
          list.map(({ topic }) => topic),
        ),
      unsubscribe: (list: string[]) => ask('unsubscribe', list),
      async suspend() {
        close();
        onEvent({ type: 'close' });
      },
      async resume() {
        onEvent({ type: 'reconnect', attempt: 1, delay: 0 });
        void open();
      },
      async wake() {},
      async disconnect() {
        close();
      },
    };
    await open();
    return client as unknown as GoClient;
  };

  return {
    boundary: { connect } satisfies Boundary<GoClient>,
    kill(): void {
      dead = true;
      for (const link of links) link.disconnect();
    },
  };
}

interface End {
  post(message: ToSharedWorker, transfer?: Transferable[]): void;
  /** Of a page that is gone. */
  cut(): void;
}

function startWorker(broker: Broker, delay: () => number, stored: Set<number> | undefined) {
  const program = createProgram(broker, delay, stored);
  const registry = createRegistry(program.boundary);
  const ends = new Set<{ crash(): void; end: End }>();

  function attach(receive: (message: FromWorker) => void): End {
    const [toPage, toWorker] = [createLine(delay), createLine(delay)];
    const post = (message: FromWorker, transfer: Transferable[] = []): void => {
      const copy = structuredClone(message, { transfer });
      toPage.send(() => receive(copy));
    };
    const port = registry.attach();
    const call = dispatch(port.boundary, post);
    const end: End = {
      post(message, transfer = []) {
        const copy = structuredClone(message, { transfer });
        toWorker.send(() => {
          switch (copy.type) {
            case 'hello':
            case 'probe':
              break;
            case 'freeze':
            case 'thaw':
            case 'leave':
              port[copy.type]();
              break;
            default:
              call(copy);
          }
        });
      },
      cut() {
        toPage.cut();
        toWorker.cut();
      },
    };
    post({ type: 'ready' });
    ends.add({
      end,
      crash() {
        toWorker.cut();
        // The page may have more to read from it before it notices, or not.
        createLine(delay).send(() => receive({ type: 'fatal', error: crashed }));
      },
    });
    return end;
  }

  return {
    attach,
    kill(): void {
      program.kill();
      for (const { crash } of ends) crash();
    },
  };
}

/** Tabs of one origin, and the broker of the session that they share. */
export function createOrigin(seed: number, store: boolean) {
  const next = random(seed);
  /** Whole milliseconds. */
  const upTo = (most: number): number => Math.floor(next() * (most + 1));
  const hop = (): number => upTo(6);
  const broker = createBroker(hop);
  const stored = store ? new Set<number>() : undefined;
  let worker: ReturnType<typeof startWorker> | undefined;

  /** A page that has not connected yet. */
  function openTab() {
    /** What it got. */
    const got: { topic: string; text: string; qos: number }[] = [];
    const errors: string[] = [];
    let state = (): ClientState => 'disconnected';
    let gone = false;
    let frozen: (() => void)[] | undefined;
    let busy: { done: Promise<void>; end(): void } | undefined;
    let engine: Engine | undefined;
    let end: End | undefined;

    async function find(): Promise<Engine> {
      if (engine) return engine;
      worker ??= startWorker(broker, hop, stored);
      const opened = worker.attach((message) => {
        if (gone) return;
        if (frozen) frozen.push(() => receive(message));
        else receive(message);
      });
      const { receive, ...calls } = createCalls(opened.post, () => {
        opened.cut();
        engine = undefined;
      });
      end = opened;
      engine = calls;
      return calls;
    }

    async function open(): Promise<Engine> {
      const { boundary, ready } = await find();
      return { boundary: restartAfterCrash(boundary, async () => (await find()).boundary), ready };
    }

    async function connect(...filters: string[]): Promise<void> {
      const settings = connectSettings('ws://broker.test/mqtt', {
        shared: true,
        clientId: 'shared',
        clean: false,
        properties: { sessionExpiryInterval: 3600 },
        ...(store && { store: 'indexeddb' }),
      });
      const { client, connected } = startClient({ settings, open, once: true });
      client.on('error', ({ code }) => errors.push(code));
      state = () => client.state;
      await connected;
      await Promise.all(
        filters.map((filter) =>
          client.subscribe(filter, { qos: 2 }, (message) => {
            if (!gone) got.push({ topic: message.topic, text: message.text(), qos: message.qos });
            return busy?.done;
          }),
        ),
      );
    }

    return {
      got,
      /** Codes of its `error` events. */
      errors,
      connected: () => state() === 'connected',
      connect,
      freeze(): void {
        end?.post({ type: 'freeze' });
        frozen = [];
      },
      thaw(): void {
        const held = frozen ?? [];
        frozen = undefined;
        end?.post({ type: 'thaw' });
        for (const task of held) task();
      },
      /** Its handlers are not done with what comes from now on. */
      hang(): void {
        let end = (): void => {};
        const done = new Promise<void>((resolve) => {
          end = resolve;
        });
        busy = { done, end };
      },
      goOn(): void {
        busy?.end();
        busy = undefined;
      },
      /** Its process dies. */
      crash(): void {
        gone = true;
        end?.cut();
      },
    };
  }

  return {
    broker,
    next,
    upTo,
    openTab,
    /** The worker dies; the next tab that looks for one starts another. */
    killWorker(): void {
      worker?.kill();
      worker = undefined;
    },
  };
}

export type Origin = ReturnType<typeof createOrigin>;
export type Tab = ReturnType<Origin['openTab']>;
