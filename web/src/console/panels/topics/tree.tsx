import { useId, useLayoutEffect, useMemo, useReducer, useRef } from 'preact/hooks';
import { bytes, messages, topics } from '../../core/counts';
import { t } from '../../core/i18n/i18n';
import { formatCount } from '../../core/text';
import type { Readable } from '../../payload/guess';
import { readingsOf } from '../../session/readings';
import type { Session } from '../../session/session';
import { rateOf, type TopicNode, topicOf } from '../../topics/model';
import { formatRate, nameOf } from '../../topics/preview';
import type { Rows } from '../../topics/rows';
import type { Workbench } from '../../topics/workbench';
import { Brief, TopicText, usePreview } from '../../ui/brief';
import { destination } from '../../ui/roving';
import { lineHeight } from '../../ui/window';
import './tree.css';

/** Messages a second of a topic whose rate is shown however narrow the tree is. */
const fast = 10;

/** Rows drawn beyond either edge. */
const margin = 6;

interface Props {
  bench: Workbench;
  session: Session;
}

interface RowProps extends Props {
  rows: Rows;
  index: number;
  node: TopicNode;
  id: string;
  height: number;
  active: boolean;
  selected: boolean;
  now: number;
}

const nothing = { topic: '', payload: new Uint8Array(0), properties: {} };

/** Changes with each update that has more messages on the same topic; undefined at first. */
function usePulse(node: TopicNode): number | undefined {
  const seen = useRef({ node, total: node.total, pulse: undefined as number | undefined }).current;
  if (seen.node !== node) Object.assign(seen, { node, pulse: undefined });
  else if (seen.total !== node.total) seen.pulse = seen.pulse === 0 ? 1 : 0;
  seen.total = node.total;
  return seen.pulse;
}

function Row({ bench, session, rows, index, node, id, height, active, selected, now }: RowProps) {
  const { last } = node;
  const name = nameOf(node, rows.heads[index]);
  const depth = rows.depths[index] ?? 1;
  const { position, size } = rows.place(rows.heads[index] ?? node);
  const open = node.children && bench.isOpen(node);
  const toggle = () => bench.setOpen([node], !bench.isOpen(node));
  const { payload } = last ?? nothing;
  const message = useMemo<Readable>(
    () =>
      last?.payload?.length
        ? { topic: topicOf(node), payload: last.payload, properties: last.properties }
        : nothing,
    [last],
  );
  if (last && message !== nothing) {
    message.decoded = session.part(readingsOf).of({ topic: message.topic, receivedAt: last.at });
  }
  const preview = usePreview(message, session.choices.recall, () =>
    session.birthBefore({ topic: message.topic, receivedAt: last?.at ?? 0 }),
  );
  const below = node.topics - (last ? 1 : 0);
  const value = payload
    ? `${preview.format ?? ''} ${preview.kind === 'empty' ? t('empty') : preview.text}`
    : bytes(last?.size ?? 0);
  const count = messages(node.total);
  const rate = rateOf(node, now);
  const said = [
    name,
    last && value.trim(),
    node.retained && t('retained'),
    below > 0 ? t('{topics} below, {messages}', { topics: topics(below), messages: count }) : count,
  ];
  return (
    // The tree has the focus and the keys, as the pattern has it (aria-activedescendant).
    // biome-ignore lint/a11y/useFocusableInteractive: see above
    // biome-ignore lint/a11y/useKeyWithClickEvents: see above
    <div
      role="treeitem"
      id={id}
      class="topic topic-columns"
      aria-level={depth}
      aria-posinset={position}
      aria-setsize={size}
      aria-selected={selected}
      {...(open !== undefined && { 'aria-expanded': open })}
      data-active={active}
      data-rated={!last || rate >= fast}
      data-pulse={usePulse(node)}
      style={{ transform: `translateY(${index * height}px)`, height: `${height}px` }}
      onClick={(event) => {
        const twisty = (event.target as Element).matches('.topic-twisty[data-open]');
        if (twisty || !last) toggle();
        if (!twisty) bench.select(node);
      }}
      onDblClick={(event) => {
        if (last && !(event.target as Element).matches('.topic-twisty')) toggle();
      }}
      // Its menu is that of the active row.
      onContextMenu={() => {
        bench.active.value = node;
      }}
    >
      {/* The levels of a name and the numbers of the columns would each be words of their own. */}
      <span class="visually-hidden">{said.filter(Boolean).join(' ')}</span>
      <span
        class="topic-path line"
        aria-hidden="true"
        style={{ paddingInlineStart: `${Math.min(depth - 1, 16) * 0.75}rem` }}
      >
        <span class="topic-twisty rigid" data-open={open} />
        <TopicText class="topic-name grow" topic={name} />
      </span>
      <span class="topic-value line tight" aria-hidden="true">
        {last ? (
          payload ? (
            <Brief class="topic-payload" preview={preview} />
          ) : (
            <span class="fine clip">{value}</span>
          )
        ) : (
          <span class="topic-below fine clip">{topics(below)}</span>
        )}
        {node.retained && (
          <span class="tag end" title={t('retained')}>
            {t('R')}
          </span>
        )}
      </span>
      <span class="topic-rate fine nowrap right" aria-hidden="true">
        {formatRate(rate)}
      </span>
      <span class="topic-count fine nowrap right" aria-hidden="true">
        {formatCount(node.total)}
      </span>
    </div>
  );
}

export function Tree({ bench, session }: Props) {
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const rows = bench.rows.value;
  const state = useRef({ rows, scroll: 0, height: 0, row: 26 }).current;
  const { nodes, heads } = rows;
  const active = bench.active.value;
  const selected = bench.selected.value;
  const now = bench.now();
  // Counts and rates change without other rows.
  bench.tick.value;

  // The first visible row stays in place when others are added above it.
  let target: number | undefined;
  if (state.rows !== rows) {
    const first = Math.floor(state.scroll / state.row);
    const anchor = state.rows.nodes[first];
    if (first > 0 && anchor) {
      const at = nodes[first] === anchor ? first : nodes.indexOf(anchor);
      if (at >= 0 && at !== first) target = state.scroll + (at - first) * state.row;
    }
    state.rows = rows;
    if (target !== undefined) state.scroll = target;
  }
  useLayoutEffect(() => {
    if (target !== undefined && box.current) box.current.scrollTop = target;
  });

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      state.height = element.clientHeight;
      state.row = lineHeight();
      redraw(undefined);
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [state]);

  const begin = Math.max(0, Math.floor(state.scroll / state.row) - margin);
  const end = Math.min(nodes.length, Math.ceil((state.scroll + state.height) / state.row) + margin);
  const shown = nodes.slice(begin, end);
  const activeAt = active && shown.includes(active) ? begin + shown.indexOf(active) : undefined;
  const idOf = (index: number) => `${id}-${index}`;

  function go(index: number): void {
    const node = nodes[Math.min(Math.max(index, 0), nodes.length - 1)];
    const element = box.current;
    if (!node || !element) return;
    bench.active.value = node;
    const top = nodes.indexOf(node) * state.row;
    element.scrollTop = Math.min(top, Math.max(top + state.row - element.clientHeight, element.scrollTop));
  }

  const revealed = bench.revealed.value;
  useLayoutEffect(() => {
    const at = revealed ? nodes.indexOf(revealed) : -1;
    if (at < 0 || state.height === 0) return;
    go(at);
    bench.revealed.value = undefined;
  });

  /** The next row whose name begins with the character, after the active one and round again. */
  function goTo(character: string, from: number): void {
    const wanted = character.toLowerCase();
    for (let step = 1; step <= nodes.length; step++) {
      const index = (from + step) % nodes.length;
      if (heads[index]?.name.slice(0, 1).toLowerCase() === wanted) {
        go(index);
        return;
      }
    }
  }

  /** Whether the key was handled. */
  function press(event: KeyboardEvent): boolean {
    const at = active ? nodes.indexOf(active) : -1;
    const node = nodes[at];
    const to = destination(event.key, at, Math.max(1, Math.floor(state.height / state.row) - 1));
    if (to !== undefined) {
      go(to);
      return true;
    }
    switch (event.key) {
      case 'ArrowRight':
        if (node?.children && !bench.setOpen([node], true)) go(at + 1);
        return true;
      case 'ArrowLeft':
        if (!node || bench.setOpen([node], false)) return true;
        go(Math.max(0, nodes.lastIndexOf(heads[at]?.parent as TopicNode, at)));
        return true;
      case '*':
        if (node) bench.setOpen(heads[at]?.parent?.list ?? [], true);
        return true;
      case 'Enter':
      case ' ':
        if (node) bench.select(node);
        return true;
      case 'Escape':
        if (!selected) return false;
        bench.select(undefined);
        return true;
      default:
        // Characters that begin no name are left to the page.
        if (event.key.length !== 1 || '/?'.includes(event.key)) return false;
        goTo(event.key, at);
        return true;
    }
  }

  return (
    <div class="tree-pane column">
      <div class="tree-head topic-columns fine surface rigid" aria-hidden="true">
        <span>{t('Topic')}</span>
        <span>{t('Value')}</span>
        <span class="topic-rate nowrap right">{t('Messages/s')}</span>
        <span class="topic-count nowrap right">{t('Messages')}</span>
      </div>
      <div
        ref={box}
        class="tree scrolls"
        role="tree"
        aria-label={t('Topics')}
        tabIndex={0}
        aria-activedescendant={activeAt === undefined ? undefined : idOf(activeAt)}
        onKeyDown={(event) => {
          if (event.ctrlKey || event.metaKey || event.altKey) return;
          if (press(event)) event.preventDefault();
        }}
        onFocus={() => {
          if (!bench.active.peek()) bench.active.value = nodes[0];
        }}
        onScroll={(event) => {
          state.scroll = event.currentTarget.scrollTop;
          redraw(undefined);
        }}
      >
        <div class="tree-rows" role="presentation" style={{ height: `${nodes.length * state.row}px` }}>
          {shown.map((node, offset) => {
            const index = begin + offset;
            return (
              <Row
                // As many keys as visible rows: see the feed's list.
                key={index % (end - begin)}
                bench={bench}
                session={session}
                rows={rows}
                index={index}
                node={node}
                id={idOf(index)}
                height={state.row}
                active={node === active}
                selected={node === selected}
                now={now}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}
