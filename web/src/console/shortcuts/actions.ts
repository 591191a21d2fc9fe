/** The keyboard shortcuts and the palette's commands. */

import { mark } from '../core/i18n/i18n';
import { isDrawer, type View } from '../core/view';
import { goTo, type Page } from '../session/page';
import type { Keys } from './keys';

export interface Shortcut {
  /** Absent if only the palette has it. */
  keys?: Keys;
  /** In the sheet and in the palette, marked for translation. */
  words: string;
  /** Where the focus must be; without it the shortcut works everywhere but in fields. */
  within?: string;
  /** Absent if a part of the page handles the keys itself. */
  run?(): void;
}

export interface Group {
  title: string;
  shortcuts: Shortcut[];
}

const find = (selector: string) => document.querySelector<HTMLElement>(selector);

function go(selector: string): void {
  const element = find(selector);
  element?.click();
  element?.focus();
}

/** Finds it in the view that has the focus, or in the middle one, or in the topics. */
const findShown = (selector: string) =>
  document.activeElement?.closest('.pane, .drawer')?.querySelector<HTMLElement>(selector) ??
  find(`.middle-panel[data-shown="true"] ${selector}`) ??
  find(`.pane[data-shown="true"] ${selector}`);

/** The same for one that has a place of its own, but where there is room for one view only. */
function goBeside(page: Page, wanted: View, selector: string): void {
  goTo(page, page.screen.peek() === 'narrow' ? wanted : page.view.peek(), selector);
}

export const editPayload = (page: Page): void =>
  goBeside(page, 'publish', '#publish :is(textarea, [data-editor], .publish-file button)');

/** What affects others, or deletes something, needs two keys. */
export function actionsOf(page: Page): Group[] {
  const { feed } = page;
  const show = (key: string, wanted: View, words: string): Shortcut => ({
    keys: { key },
    words,
    run() {
      // On a narrow screen there is no drawer, and it has a tab.
      const drawer = isDrawer(wanted) ? '#drawer, ' : '';
      goTo(page, wanted, wanted === 'topics' ? '[role="tree"]' : `${drawer}[data-tab="${wanted}"]`);
    },
  });
  return [
    {
      title: mark('Publish'),
      shortcuts: [
        {
          keys: { key: 'e' },
          words: mark('Edit the payload'),
          run: () => editPayload(page),
        },
        {
          keys: { key: 'Enter', command: true },
          words: mark('Publish, or stop repeating, from anywhere in the form'),
          within: '.publish-form',
          run: () => document.querySelector<HTMLFormElement>('.publish-form')?.requestSubmit(),
        },
        { keys: { key: 'ArrowUp', alt: true }, words: mark('Bring back an earlier payload') },
        {
          keys: { key: 's' },
          words: mark('Subscribe to a topic filter'),
          run: () => goBeside(page, 'topics', '#subscribe input'),
        },
      ],
    },
    {
      title: mark('Messages'),
      shortcuts: [
        {
          keys: { key: '/' },
          words: mark('Search in what is shown'),
          run: () => findShown('search input')?.focus(),
        },
        { keys: { key: 'p' }, words: mark('Pause or resume'), run: () => feed.pause(!feed.paused.value) },
        {
          keys: { key: 'n' },
          words: mark('Jump to the newest and follow'),
          run: () => findShown('[data-jump]')?.click(),
        },
        { keys: { key: 'F10', shift: true }, words: mark('Open the menu of a row') },
        { keys: { key: 'x', shift: true }, words: mark('Clear the messages'), run: () => feed.clear() },
        {
          keys: { key: 'r' },
          words: mark('Record messages, or see what was recorded'),
          run() {
            page.show('messages');
            requestAnimationFrame(() => go('[data-record]'));
          },
        },
      ],
    },
    {
      title: mark('Views'),
      shortcuts: [
        show('m', 'messages', mark('Show messages')),
        show('t', 'topics', mark('Show topics')),
        show('b', 'broker', mark('Show broker')),
        show('k', 'packets', mark('Show packets')),
        show('j', 'scripts', mark('Show scripts')),
        show('f', 'fleet', mark('Show fleet')),
      ],
    },
    {
      title: mark('Page'),
      shortcuts: [
        {
          keys: { key: 'c', shift: true },
          words: mark('Connect or disconnect'),
          run() {
            const { connection } = page.sessions.active.peek();
            if (connection.status.value.phase === 'disconnected') void connection.connect();
            else connection.disconnect();
          },
        },
        {
          keys: { key: 'n', shift: true },
          words: mark('Open a new connection'),
          run: () => void page.sessions.open(),
        },
        { keys: { key: 'Escape' }, words: mark('Close details or a dialog') },
      ],
    },
  ];
}
