import { expect, it } from 'vitest';
import { createSessions } from './sessions';

function made() {
  const ended: number[] = [];
  const connections = createSessions((id) => ({ id, dispose: () => ended.push(id) }));
  const ids = () => connections.list.value.map(({ id }) => id);
  return { ...connections, ended, ids };
}

it('starts with one, which can not be closed', () => {
  const { list, active, close, ended, ids } = made();
  expect(list.value).toEqual([active.value]);
  close(active.value);
  expect(ids()).toEqual([1]);
  expect(ended).toEqual([]);
});

it('shows the one opened or chosen last', () => {
  const { active, open, show, ids } = made();
  const first = active.value;
  const second = open();
  expect(ids()).toEqual([1, 2]);
  expect(active.value).toBe(second);
  show(first);
  expect(active.value).toBe(first);
});

it.each([
  ['the one in the middle', 2, 2, 3],
  ['the last', 3, 3, 2],
  ['the first', 1, 1, 2],
  ['another than is shown', 1, 3, 3],
])('after closing %s, a neighbour or the one shown before is shown', (_, closed, shown, expected) => {
  const { list, active, open, show, close, ended } = made();
  open();
  open();
  const of = (id: number) => list.value.find((member) => member.id === id) ?? active.value;
  show(of(shown));
  close(of(closed));
  expect(active.value.id).toBe(expected);
  expect(ended).toEqual([closed]);
});

it('closes a connection once, can not show it again, and does not reuse its number', () => {
  const { active, open, show, close, ended, ids } = made();
  const second = open();
  close(second);
  close(second);
  show(second);
  expect(active.value.id).toBe(1);
  expect(ended).toEqual([2]);
  open();
  expect(ids()).toEqual([1, 3]);
});

it('removes it from the list before ending it', () => {
  const seen: number[] = [];
  const { list, open, close } = createSessions((id) => ({
    id,
    dispose: (): void => void seen.push(...list.value.map((member) => member.id)),
  }));
  close(open());
  expect(seen).toEqual([1]);
});
