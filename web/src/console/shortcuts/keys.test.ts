import { describe, expect, it } from 'vitest';
import { isApple, type Keys, namesOf, pressed } from './keys';

const none = { shiftKey: false, ctrlKey: false, metaKey: false, altKey: false };

describe('pressed', () => {
  const letter: Keys = { key: 'p' };
  const capital: Keys = { key: 'x', shift: true };
  const send: Keys = { key: 'Enter', command: true };
  const earlier: Keys = { key: 'ArrowUp', alt: true };
  const question: Keys = { key: '?' };

  it.each<[what: string, keys: Keys, event: Partial<KeyboardEvent>, yes: boolean]>([
    ['a letter', letter, { key: 'p' }, true],
    ['another letter', letter, { key: 'q' }, false],
    ['a letter under caps lock', letter, { key: 'P' }, true],
    ['a letter with Shift', letter, { key: 'P', shiftKey: true }, false],
    ['Ctrl+P, the browser’s own', letter, { key: 'p', ctrlKey: true }, false],
    ['⌘P, the browser’s own', letter, { key: 'p', metaKey: true }, false],
    ['AltGr or Option with a letter', letter, { key: 'p', altKey: true }, false],
    ['Alt and an arrow', earlier, { key: 'ArrowUp', altKey: true }, true],
    ['the arrow without Alt', earlier, { key: 'ArrowUp' }, false],
    ['Shift and a letter', capital, { key: 'X', shiftKey: true }, true],
    ['Shift and a letter under caps lock', capital, { key: 'x', shiftKey: true }, true],
    ['the letter without Shift', capital, { key: 'x' }, false],
    ['Ctrl+Enter', send, { key: 'Enter', ctrlKey: true }, true],
    ['⌘Enter', send, { key: 'Enter', metaKey: true }, true],
    ['Enter', send, { key: 'Enter' }, false],
    ['a sign where the keyboard has it with Shift', question, { key: '?', shiftKey: true }, true],
    ['a sign where the keyboard has it without', question, { key: '?' }, true],
  ])('%s', (_, keys, event, yes) => {
    expect(pressed(keys, { ...none, key: '', ...event })).toBe(yes);
  });
});

describe('namesOf', () => {
  it.each<[keys: Keys, names: string[], apple: string[]]>([
    [{ key: 'e' }, ['E'], ['E']],
    [{ key: '/' }, ['/'], ['/']],
    [{ key: 'x', shift: true }, ['Shift', 'X'], ['⇧', 'X']],
    [{ key: 'Enter', command: true }, ['Ctrl', 'Enter'], ['⌘', '↩']],
    [{ key: 'ArrowUp', alt: true }, ['Alt', '↑'], ['⌥', '↑']],
    [{ key: 'Escape' }, ['Esc'], ['esc']],
  ])('%o', (keys, names, apple) => {
    expect(namesOf(keys, false)).toEqual(names);
    expect(namesOf(keys, true)).toEqual(apple);
  });
});

it('isApple', () => {
  expect(['MacIntel', 'macOS', 'iPhone', 'Linux x86_64', 'Win32'].map(isApple)).toEqual([
    true,
    true,
    true,
    false,
    false,
  ]);
});
