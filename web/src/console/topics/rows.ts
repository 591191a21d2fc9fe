/**
 * The tree as rows: what is open, in what order, and what a search leaves. Levels with a single
 * child and no message of their own form one row with what is below them: its node is the last of
 * them.
 */

import type { Model, TopicNode } from './model';

/** Levels sorted in one go: a level may have all topics of the tree. */
const portion = 5000;
/** A tree as small as this is shown whole, until the user opens or closes something. */
const small = 40;

export interface Rows {
  nodes: TopicNode[];
  /** Of each row the first of its levels, and how many rows lead to it, with itself. */
  heads: TopicNode[];
  depths: number[];
  /**
   * By the first of its levels, a row's number among its siblings, from 1, and how many there are:
   * for the few visible rows.
   */
  place(head: TopicNode): { position: number; size: number };
  /** False when some levels are still to be sorted in. */
  complete: boolean;
}

interface Sorted {
  nodes: TopicNode[];
  /** How many of the children are in it. */
  taken: number;
}

const byName = (a: TopicNode, b: TopicNode) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

function merge(a: TopicNode[], b: TopicNode[]): TopicNode[] {
  if (a.length === 0) return b;
  const merged: TopicNode[] = [];
  let at = 0;
  for (const node of b) {
    for (let next = a[at]; next && byName(next, node) <= 0; next = a[++at]) merged.push(next);
    merged.push(node);
  }
  for (; at < a.length; at++) merged.push(a[at] as TopicNode);
  return merged;
}

/** Where a node is in a level that is sorted by name. */
function indexIn(level: readonly TopicNode[], node: TopicNode): number {
  let low = 0;
  let high = level.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (byName(level[middle] as TopicNode, node) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

const isPassage = (node: TopicNode) => node.count === 0 && node.list.length === 1;

/** The last of the levels that are one row. */
export function lastOf(node: TopicNode): TopicNode {
  let last = node;
  while (isPassage(last)) last = last.list[0] as TopicNode;
  return last;
}

export const noRows: Rows = {
  nodes: [],
  heads: [],
  depths: [],
  place: () => ({ position: 0, size: 0 }),
  complete: true,
};

export function createOpening(model: Model) {
  const open = new Set<TopicNode>();
  /** Closed by the user in search results, which are open by default. */
  const shut = new Set<TopicNode>();
  const sorted = new Map<TopicNode, Sorted>();
  let touched = false;

  const isOpen = (node: TopicNode, searching: boolean) => (searching ? !shut.has(node) : open.has(node));

  /** Returns whether it changed anything. */
  function set(of: TopicNode, opened: boolean, searching: boolean): boolean {
    const node = lastOf(of);
    if (!node.children || isOpen(node, searching) === opened) return false;
    touched = true;
    const which = searching ? shut : open;
    const change = (one: TopicNode) => (opened === searching ? which.delete(one) : which.add(one));
    change(node);
    // All levels of the row, which splits when one of them gets a second child.
    for (let up = node.parent; up?.parent && isPassage(up); up = up.parent) change(up);
    // Also opens levels with a single child.
    for (let down = node.list; opened && !searching && down.length === 1; ) {
      const next = down[0] as TopicNode;
      if (next.children) open.add(next);
      down = next.list;
    }
    return true;
  }

  function flatten(kept?: ReadonlySet<TopicNode>): Rows {
    /** The children shown, by their parent. */
    const levels = new Map<TopicNode | undefined, readonly TopicNode[]>();
    const rows: Rows = {
      nodes: [],
      heads: [],
      depths: [],
      place(head) {
        const level = levels.get(head.parent) ?? [];
        return { position: indexIn(level, head) + 1, size: level.length };
      },
      complete: true,
    };
    const showAll = !touched && !kept && model.nodes <= small;
    let budget = portion;

    function childrenOf(node: TopicNode): TopicNode[] {
      let level = sorted.get(node);
      if (!level) {
        level = { nodes: [], taken: 0 };
        sorted.set(node, level);
      }
      if (level.taken < node.list.length && budget > 0) {
        const news = node.list.slice(level.taken, level.taken + budget);
        budget -= news.length;
        level.taken += news.length;
        level.nodes = merge(level.nodes, news.sort(byName));
      }
      if (level.taken < node.list.length) rows.complete = false;
      return level.nodes;
    }

    function add(parent: TopicNode, depth: number): void {
      const all = childrenOf(parent);
      const children = kept ? all.filter((node) => kept.has(node)) : all;
      levels.set(parent, children);
      for (const head of children) {
        const node = lastOf(head);
        rows.nodes.push(node);
        rows.heads.push(head);
        rows.depths.push(depth);
        for (let one = node; showAll && one !== parent; one = one.parent as TopicNode) {
          if (one.children) open.add(one);
        }
        if (node.children && isOpen(node, kept !== undefined)) add(node, depth + 1);
      }
    }

    add(model.root, 1);
    return rows;
  }

  return {
    isOpen,
    set,
    flatten,
    /** Before another search. */
    unshut: () => shut.clear(),
    /** Before another tree. */
    reset() {
      open.clear();
      shut.clear();
      sorted.clear();
      touched = false;
    },
  };
}
