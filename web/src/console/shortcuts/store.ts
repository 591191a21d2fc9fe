/** The shortcuts: listens for their keys, unless they are turned off. */

import { signal } from '@preact/signals';
import { mark } from '../core/i18n/i18n';
import { keep, readKept } from '../core/storage';
import type { Page } from '../session/page';
import { actionsOf } from './actions';
import { pressed } from './keys';

const key = 'mqttwasm.shortcuts';

/** Where a letter is typed, or chooses from a list. */
const fields =
  'input:not([type="checkbox"], [type="radio"], [type="button"], [type="file"]), textarea, select, [contenteditable], [data-editor]';

/** How long, in milliseconds, typed text waits for the palette while its code is loaded. */
const patience = 5000;

export type Shortcuts = ReturnType<typeof createShortcuts>;

export function createShortcuts(page: Page) {
  /** For keys without Control or Command (WCAG 2.1.4). */
  const on = signal(readKept(key) !== false);
  /** Which of the two dialogs is open. */
  const shown = signal<'sheet' | 'palette'>();
  /** When `shown` last changed, and what was typed for the palette since. */
  let asked = 0;
  let early = '';
  shown.subscribe(() => {
    asked = performance.now();
    early = '';
  });
  const groups = actionsOf(page);
  groups.at(-1)?.shortcuts.push(
    {
      keys: { key: 'k', command: true },
      words: mark('Find a command, topic or profile'),
      within: ':root',
      run() {
        shown.value = 'palette';
      },
    },
    {
      keys: { key: '?' },
      words: mark('Show these shortcuts'),
      run() {
        shown.value = 'sheet';
      },
    },
  );
  const all = groups.flatMap(({ shortcuts }) => shortcuts);

  document.addEventListener('keydown', (event) => {
    // A part of the page that handles the key comes first, and a dialog blocks what is behind it.
    if (event.defaultPrevented || event.repeat || event.isComposing) return;
    if (document.querySelector('dialog[open]')) return;
    if (shown.peek() === 'palette' && performance.now() - asked < patience) {
      typeAhead(event);
      return;
    }
    const focused = event.target instanceof Element ? event.target : undefined;
    const shortcut = all.find(({ keys, within, run }) => {
      if (!run || !keys || !pressed(keys, event)) return false;
      return within ? focused?.closest(within) : on.value && !focused?.closest(fields);
    });
    if (!shortcut) return;
    event.preventDefault();
    shortcut.run?.();
  });

  /** Keeps what is typed for the palette, so that it is neither a shortcut nor input of the focused field. */
  function typeAhead(event: KeyboardEvent): void {
    const { key, ctrlKey, metaKey, altKey } = event;
    if (ctrlKey || metaKey || altKey || key === 'Tab') return;
    event.preventDefault();
    if (key === 'Escape') shown.value = undefined;
    else if (key === 'Backspace') early = early.slice(0, -1);
    else if (key.length === 1) early += key;
  }

  function turn(to: boolean): void {
    on.value = to;
    keep(key, to);
  }

  return { groups, on, shown, turn, early: () => early };
}
