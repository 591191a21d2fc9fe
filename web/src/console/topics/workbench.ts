/** The state of the topics panel, once it is open. */

import { batch, effect, signal, untracked } from '@preact/signals';
import { mark, type Words } from '../core/i18n/i18n';
import { limits } from '../core/limits';
import type { Paint } from '../core/paint';
import type { Recall } from '../payload/choices';
import { clearRetained, type Kept, type Progress, restorable, restoreRetained, retainedUnder } from './clear';
import { createHistories, type History } from './history';
import { type TopicNode, topicOf } from './model';
import { createOpening, noRows } from './rows';
import { createSearch } from './search';
import { createSeriesList, type Reading } from './series';
import type { Topics } from './store';

/** Milliseconds of searching in one go. */
const slice = 6;

export interface Clearing {
  topic: string;
  nodes: readonly TopicNode[];
  /** How many of them can be restored. */
  restorable: number;
  /** Undefined until confirmed. */
  progress?: Progress;
  undoing?: true;
}

/** What was cleared a short while ago. */
interface Cleared {
  what: Clearing;
  kept: Kept;
}

export interface Dependencies {
  /** Runs `call` with the next frame. */
  frame(call: () => void): void;
  paint: Paint;
  /** The payload of the Sparkplug B BIRTH that a message stands on. */
  birthBefore(message: Reading): Uint8Array | undefined;
  recall: Recall;
}

export type Workbench = ReturnType<typeof createWorkbench>;

export function createWorkbench(topics: Topics, deps: Dependencies) {
  const { model } = topics;
  const opening = createOpening(model);
  const search = createSearch(model);
  const histories = createHistories(model, topics.earlier);
  const series = createSeriesList(model, { ...deps, now: topics.now, past });

  /** Changes with each update of the numbers. */
  const tick = signal(0);
  const rows = signal(noRows);
  const query = signal('');
  const searched = signal({ found: 0, looked: 0, done: true });
  /** The row with the keyboard focus, and the topic whose details are open. */
  const active = signal<TopicNode | undefined>(undefined);
  const selected = signal<TopicNode | undefined>(undefined);
  /** A new object each time another topic is selected. */
  let selection = {};
  /** The row to scroll to. */
  const revealed = signal<TopicNode | undefined>(undefined);
  const charted = signal(series.list());
  /** Seconds that the charts show up to now; 0 for all. */
  const span = signal(0);
  const clearing = signal<Clearing | undefined>(undefined);
  const cleared = signal<Cleared | undefined>(undefined);
  /** Of the selected. */
  const history = signal<History | undefined>(undefined);

  let seen = '';
  let latest = noRows;
  let all = true;
  let changes = 0;
  let asked = false;
  let stopped = false;
  let forgetting: ReturnType<typeof setTimeout> | undefined;
  let reading = false;

  /** Updates from the model for a few milliseconds, and continues in the next frame if needed. */
  function look(): void {
    all = search.advance(topics.now, topics.now() + slice);
    const state = `${model.version} ${changes} ${search.found}`;
    if (state !== seen || !latest.complete) {
      seen = state;
      latest = opening.flatten(search.kept);
    }
    if ((all && latest.complete) || asked) return;
    asked = true;
    deps.frame(() => {
      asked = false;
      update();
    });
  }

  /** The node itself, or the collapsed row that contains it. */
  function rowOf(node: TopicNode | undefined): TopicNode | undefined {
    const levels = new Set<TopicNode>();
    for (let level = node; level; level = level.parent) levels.add(level);
    return latest.nodes.findLast((row) => levels.has(row)) ?? node;
  }

  function show(): void {
    batch(() => {
      searched.value = { found: search.found, looked: search.looked, done: all };
      if (rows.peek() !== latest) active.value = rowOf(active.peek());
      rows.value = latest;
      tick.value++;
    });
  }

  /** Updates after an action of the user. */
  function refresh(): void {
    batch(() => {
      look();
      show();
    });
  }

  /** Called a few times a second, whether or not anything changed. */
  function update(): void {
    batch(look);
    deps.paint(show);
  }

  function begin(): void {
    opening.reset();
    histories.clear();
    series.clear();
    search.start(query.peek());
    changes++;
    setCleared(undefined);
    select(undefined);
    active.value = undefined;
    charted.value = series.list();
  }

  let era = topics.era.peek();
  const stopFollowing = effect(() => {
    if (topics.era.value !== era) topics.pins = [];
    era = topics.era.value;
    untracked(begin);
  });

  function find(text: string): void {
    query.value = text;
    opening.unshut();
    search.start(text);
    changes++;
    refresh();
  }

  const isOpen = (node: TopicNode) => opening.isOpen(node, search.kept !== undefined);

  /** Whether it made a difference. */
  function setOpen(nodes: readonly TopicNode[], open: boolean): boolean {
    const searching = search.kept !== undefined;
    const changed = nodes.filter((node) => opening.set(node, open, searching)).length > 0;
    if (changed) {
      changes++;
      refresh();
    }
    return changed;
  }

  function select(node: TopicNode | undefined): void {
    batch(() => {
      if (node) active.value = node;
      if (node !== selected.peek()) selection = {};
      selected.value = node;
      history.value = node && histories.of(node);
    });
  }

  /** Scrolls to a topic, and opens its details. */
  function reveal(node: TopicNode): void {
    if (query.peek() !== '') find('');
    const above: TopicNode[] = [];
    for (let up = node.parent; up?.parent; up = up.parent) above.unshift(up);
    batch(() => {
      setOpen(above, true);
      select(node);
      revealed.value = node;
    });
  }

  /** What is kept of a topic, the newest first: by the feed, and then what only its history has. */
  function* past(node: TopicNode): Generator<Reading | undefined> {
    const topic = topicOf(node);
    const values = histories.of(node).values.toReversed();
    // The history has no properties, but they seldom differ between messages of a topic.
    const properties = node.last?.properties ?? {};
    let oldest = Number.POSITIVE_INFINITY;
    for (const message of topics.past(topic)) {
      if (message) oldest = message.receivedAt;
      yield message;
    }
    for (const { at, payload } of values) {
      if (at < oldest) yield { topic, payload, properties, receivedAt: at };
    }
  }

  const without = (topic: string, path: string) =>
    topics.pins.filter(([other, inside]) => other !== topic || inside !== path);

  /** Restores lines of the chart after a reload, as soon as their topics have a number. */
  function restorePins(): void {
    for (const [topic, path] of topics.pins) {
      const there = charted.peek().some((one) => one.topic === topic && one.path === path);
      const node = there ? undefined : model.find(topic);
      if (node) chart(node, path);
    }
  }

  /** Adds a line, whose past is read from frame to frame. Returns why it can't be added, or undefined. */
  function chart(node: TopicNode, path: string): Words | undefined {
    const problem = series.start(node, path, topics.now() + limits.chart.slice);
    charted.value = series.list();
    if (!problem) topics.pins = [...without(topicOf(node), path), [topicOf(node), path]];
    if (!problem && !reading) {
      reading = true;
      deps.frame(readOn);
    }
    return problem;
  }

  function readOn(): void {
    reading = !series.readOn(topics.now() + limits.chart.slice);
    if (reading) deps.frame(readOn);
  }

  function unchart(id: number): void {
    const line = series.list().find((one) => one.id === id);
    if (line) topics.pins = without(line.topic, line.path);
    series.remove(id);
    charted.value = series.list();
  }

  function askToClear(node: TopicNode): void {
    const nodes = retainedUnder(node);
    clearing.value = { topic: topicOf(node), nodes, restorable: restorable(nodes).size };
  }

  /** Keeps what can be restored. */
  function keep(kept: Kept): void {
    const what = clearing.peek();
    if (what && kept.size > 0) setCleared({ what, kept });
    refresh();
  }

  /** For as long as it can be undone. */
  function setCleared(now: Cleared | undefined): void {
    clearTimeout(forgetting);
    cleared.value = now;
    if (now) forgetting = setTimeout(() => setCleared(undefined), limits.undo.seconds * 1000);
  }

  /** A job that publishes `total` messages; undefined without a connection. */
  function jobFor(what: Clearing, total: number) {
    const client = topics.client();
    const say = (progress: Progress) => {
      clearing.value = { ...what, progress };
    };
    const start = { total, published: 0, failed: 0, reason: '', done: false };
    stopped = false;
    say(client ? start : { ...start, reason: mark('not connected to a broker'), done: true });
    return (
      client && {
        client,
        // What was seen at one broker must not be cleared at the next.
        goOn: () => !stopped && client.connected && topics.client() === client,
        say,
      }
    );
  }

  async function clear(): Promise<void> {
    const what = clearing.peek();
    if (!what || what.progress) return;
    setCleared(undefined);
    const job = jobFor(what, what.nodes.length);
    if (!job) return;
    keep(await clearRetained(model, what.nodes, job));
  }

  /** Publishes again what was cleared. */
  async function undo(): Promise<void> {
    const last = cleared.peek();
    const job = last && jobFor({ ...last.what, undoing: true }, last.kept.size);
    if (!job) return;
    setCleared(undefined);
    await restoreRetained(model, last.kept, job);
    keep(last.kept);
  }

  /** Ends clearing in progress, or closes its question or result. */
  function stopClearing(): void {
    const progress = clearing.peek()?.progress;
    if (progress && !progress.done) stopped = true;
    else clearing.value = undefined;
  }

  return {
    model,
    now: topics.now,
    forgetAll() {
      topics.clear();
      refresh();
    },
    tick,
    rows,
    query,
    searched,
    active,
    selected,
    get selection() {
      return selection;
    },
    revealed,
    history,
    charted,
    span,
    clearing,
    cleared,
    refresh,
    update,
    find,
    isOpen,
    setOpen,
    select,
    reveal,
    chart,
    restorePins,
    unchart,
    askToClear,
    clear,
    undo,
    stopClearing,
    dispose() {
      clearTimeout(forgetting);
      stopFollowing();
      deps.paint.dispose();
    },
  };
}
