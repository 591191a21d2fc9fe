import { expect, it } from 'vitest';
import type { Message } from '../../client';
import { createModel, topicOf } from './model';
import { createOpening, type Rows } from './rows';
import { createSearch } from './search';

function made(...topics: string[]) {
  const model = createModel();
  const push = (...more: string[]) =>
    model.push(
      more.map((topic) => ({ topic, payload: new Uint8Array(1), properties: {} }) as Message),
      0,
    );
  push(...topics);
  const opening = createOpening(model);
  const search = createSearch(model);
  /** Each row's topic, with `+` if it is closed. */
  function shown(): string[] {
    const searching = search.kept !== undefined;
    return opening
      .flatten(search.kept)
      .nodes.map((node) => topicOf(node) + (node.children && !opening.isOpen(node, searching) ? ' +' : ''));
  }
  function at(topic: string) {
    const node = opening.flatten().nodes.find((one) => topicOf(one) === topic);
    if (!node) throw new Error(`no row ${topic}`);
    return node;
  }
  return { model, push, opening, search, shown, at };
}

const many = Array.from({ length: 60 }, (_, n) => `z/${String(n).padStart(2, '0')}/x`);

it('shows all of a small tree, in order', () => {
  const { shown, push } = made('b/y', 'b/x', 'a');
  expect(shown()).toEqual(['a', 'b', 'b/x', 'b/y']);
  push('a/1');
  expect(shown()).toEqual(['a', 'a/1', 'b', 'b/x', 'b/y']);
});

it('shows the first level of a larger one, and opens nodes on request', () => {
  const { shown, opening, at, push } = made('a/b/c/x', 'a/b/c/y', 'a/b', ...many);
  expect(shown()).toEqual(['a/b +', 'z +']);
  // Opening a branch also opens a single child below it.
  expect(opening.set(at('a/b'), true, false)).toBe(true);
  expect(shown()).toEqual(['a/b', 'a/b/c', 'a/b/c/x', 'a/b/c/y', 'z +']);
  expect(opening.set(at('a/b'), true, false)).toBe(false);
  push('a/b');
  expect(opening.set(at('a/b'), false, false)).toBe(true);
  expect(shown()).toEqual(['a/b +', 'z +']);
});

it('chains of levels without messages share a row, until they branch', () => {
  const { shown, opening, at, push, model } = made('a/b/c/d/x', 'a/b/c/d/y', 'k/l/m', ...many);
  const { heads, depths, nodes } = opening.flatten();
  expect(heads.map(topicOf)).toEqual(['a', 'k', 'z']);
  expect(nodes.map(topicOf)).toEqual(['a/b/c/d', 'k/l/m', 'z']);
  expect(depths).toEqual([1, 1, 1]);
  opening.set(at('a/b/c/d'), true, false);
  expect(opening.flatten().depths).toEqual([1, 2, 2, 1, 1]);

  // Rows that split stay as open as they were.
  push('a/b/new', 'k/l');
  expect(shown()).toEqual(['a/b', 'a/b/c/d', 'a/b/c/d/x', 'a/b/c/d/y', 'a/b/new', 'k/l +', 'z +']);
  const rows = opening.flatten();
  expect(rows.depths).toEqual([1, 2, 3, 3, 2, 1, 1]);
  expect(rows.place(rows.heads[1] ?? model.root)).toEqual({ position: 1, size: 2 });
  opening.set(at('a/b/c/d'), false, false);
  opening.set(at('a/b'), false, false);
  push('a/other');
  expect(shown()).toEqual(['a +', 'k/l +', 'z +']);
});

it('numbers siblings among those shown', () => {
  const { opening, search } = made('a/x', 'a/y', 'a/z', 'b');
  search.start('Z');
  search.advance(() => 0, 1);
  const placesOf = ({ nodes, place }: Rows) =>
    nodes.map((node) => `${place(node).position} of ${place(node).size}`);
  expect(placesOf(opening.flatten())).toEqual(['1 of 2', '1 of 3', '2 of 3', '3 of 3', '2 of 2']);
  expect(placesOf(opening.flatten(search.kept))).toEqual(['1 of 1', '1 of 1']);
});

it('sorts a wide level in portions, and inserts later topics in order', () => {
  const { opening, push, model } = made(
    ...Array.from({ length: 12_000 }, (_, n) => `t${(n * 7919) % 12_000}`),
  );
  const lengths: number[] = [];
  let rows = opening.flatten();
  for (; !rows.complete; rows = opening.flatten()) lengths.push(rows.nodes.length);
  expect(lengths).toEqual([5000, 10_000]);
  push('t5000x');
  rows = opening.flatten();
  const names = rows.nodes.map(({ name }) => name);
  expect(names).toEqual(model.topics.map(topicOf).sort());
});

it('searches in slices, ignoring case, and finds later topics', () => {
  const { search, shown, push, opening, at } = made('Hall/Temp', 'hall/door', 'yard/temp/max', ...many);
  search.start('temP');
  // With this clock each slice ends at the first check, after 256 topics.
  expect(search.advance(() => 1, 0)).toBe(true);
  expect(search.found).toBe(2);
  expect(shown()).toEqual(['Hall/Temp', 'yard/temp/max']);
  push('attic/temp', 'attic/door');
  search.advance(() => 0, 1);
  expect(shown()).toContain('attic/temp');
  expect(shown()).not.toContain('attic/door');
  push('yard/temp/min');
  search.advance(() => 0, 1);
  opening.set(at('yard/temp'), false, true);
  expect(shown()).toContain('yard/temp +');
  search.start('');
  expect(search.kept).toBeUndefined();
});

it('a search over many topics yields', () => {
  const { search } = made(...Array.from({ length: 1000 }, (_, n) => `t${n}`));
  search.start('t');
  expect(search.advance(() => 1, 0)).toBe(false);
  expect(search.looked).toBe(256);
  while (!search.advance(() => 1, 0));
  expect(search.found).toBe(1000);
});
