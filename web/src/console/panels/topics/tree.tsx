import { useId, useLayoutEffect, useReducer, useRef } from 'preact/hooks';
import { messages, topics } from '../../core/counts';
import { t } from '../../core/i18n/i18n';
import { formatCount } from '../../core/text';
import { rateOf, type TopicNode } from '../../topics/model';
import { formatRate, nameOf, previewOf } from '../../topics/preview';
import type { Workbench } from '../../topics/workbench';
import './tree.css';

/** Rows drawn beyond either edge. */
const margin = 6;

function measureRow(): number {
  const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  return matchMedia('(pointer: coarse)').matches ? 44 : Math.round(1.875 * rem);
}

interface RowProps {
  node: TopicNode;
  id: string;
  top: number;
  height: number;
  position: number;
  size: number;
  open: boolean | undefined;
  active: boolean;
  selected: boolean;
  now: number;
  onToggle(): void;
  onSelect(): void;
}

/** What the numbers of a row say to those who don't see where they stand. */
function words(node: TopicNode, below: number): string {
  const all = messages(node.total);
  return below === 0 ? all : t('{topics} below, {messages}', { topics: topics(below), messages: all });
}

function Row({ node, id, top, height, position, size, open, active, selected, now, ...on }: RowProps) {
  const value = node.last && previewOf(node.last);
  const below = node.topics - (node.last ? 1 : 0);
  return (
    // The tree has the focus and the keys, as the pattern has it (aria-activedescendant).
    // biome-ignore lint/a11y/useFocusableInteractive: see above
    // biome-ignore lint/a11y/useKeyWithClickEvents: see above
    <div
      role="treeitem"
      id={id}
      class="topic"
      aria-level={node.depth}
      aria-posinset={position}
      aria-setsize={size}
      aria-selected={selected}
      {...(open !== undefined && { 'aria-expanded': open })}
      data-active={active}
      style={{ transform: `translateY(${top}px)`, height: `${height}px` }}
      onClick={(event) => {
        if ((event.target as Element).matches('.topic-twisty[data-open]')) on.onToggle();
        else on.onSelect();
      }}
      onDblClick={(event) => {
        if (!(event.target as Element).matches('.topic-twisty')) on.onToggle();
      }}
    >
      <span class="topic-indent" style={{ width: `${Math.min(node.depth - 1, 16) * 0.875}rem` }} />
      <span class="topic-twisty" data-open={open} />
      <bdi class="topic-name clip" data-empty={node.name === ''}>
        {nameOf(node)}
      </bdi>
      <bdi class="topic-value clip">{value}</bdi>
      {node.retained && <span class="tag topic-retained">{t('retained')}</span>}
      <span class="visually-hidden">{words(node, below)}</span>
      {below > 0 && (
        <span class="topic-below fine" aria-hidden="true">
          {t('{count} below', { count: formatCount(below) })}
        </span>
      )}
      <span class="topic-rate fine" aria-hidden="true">
        {formatRate(rateOf(node, now))}
      </span>
      <span class="topic-count fine" aria-hidden="true">
        {formatCount(node.total)}
      </span>
    </div>
  );
}

export function Tree({ bench }: { bench: Workbench }) {
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const rows = bench.rows.value;
  const state = useRef({ rows, scroll: 0, height: 0, row: 30 }).current;
  const { nodes } = rows;
  const active = bench.active.value;
  const selected = bench.selected.value;
  const now = bench.now();
  // Counts and rates change without other rows.
  bench.tick.value;

  // The first row in sight stays where it is when others come above it.
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
      state.row = measureRow();
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

  function toggle(node: TopicNode): void {
    bench.setOpen([node], !bench.isOpen(node));
  }

  /** The next row whose name begins with the character, after the active one and round again. */
  function goTo(character: string, from: number): void {
    const wanted = character.toLowerCase();
    for (let step = 1; step <= nodes.length; step++) {
      const index = (from + step) % nodes.length;
      if (nodes[index]?.name.slice(0, 1).toLowerCase() === wanted) {
        go(index);
        return;
      }
    }
  }

  /** Whether the key means anything here. */
  function press(event: KeyboardEvent): boolean {
    const at = active ? nodes.indexOf(active) : -1;
    const node = nodes[at];
    const page = Math.max(1, Math.floor(state.height / state.row) - 1);
    switch (event.key) {
      case 'ArrowDown':
        go(at + 1);
        return true;
      case 'ArrowUp':
        go(at - 1);
        return true;
      case 'PageDown':
        go(at + page);
        return true;
      case 'PageUp':
        go(at - page);
        return true;
      case 'Home':
        go(0);
        return true;
      case 'End':
        go(nodes.length - 1);
        return true;
      case 'ArrowRight':
        if (node?.children && !bench.setOpen([node], true)) go(at + 1);
        return true;
      case 'ArrowLeft':
        if (!node || bench.setOpen([node], false)) return true;
        if (node.parent) go(nodes.indexOf(node.parent) < 0 ? at : nodes.indexOf(node.parent));
        return true;
      case '*':
        if (node?.parent) bench.setOpen(node.parent.list, true);
        return true;
      case 'Enter':
      case ' ':
        if (node) bench.select(node);
        return true;
      default:
        if (event.key.length !== 1) return false;
        goTo(event.key, at);
        return true;
    }
  }

  return (
    <div
      ref={box}
      class="tree"
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
              // As many keys as there are rows in sight: see the feed's list.
              key={index % (end - begin)}
              id={idOf(index)}
              node={node}
              top={index * state.row}
              height={state.row}
              {...rows.place(node)}
              open={node.children && bench.isOpen(node)}
              active={node === active}
              selected={node === selected}
              now={now}
              onToggle={() => toggle(node)}
              onSelect={() => bench.select(node)}
            />
          );
        })}
      </div>
    </div>
  );
}
