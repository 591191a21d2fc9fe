/** Locators for the topics view. */

import type { Page } from '@playwright/test';

export function topicsOf(page: Page) {
  const panel = page.getByRole('region', { name: 'Topics', exact: true });
  const details = page.getByRole('region', { name: 'Topic details' });
  return {
    messagesTab: page.getByRole('tab', { name: 'Messages' }),
    scriptsTab: page.getByRole('tab', { name: 'Scripts' }),
    tree: page.getByRole('tree', { name: 'Topics' }),
    search: page.getByRole('searchbox', { name: 'Search topics' }),
    details,
    chart: page.getByRole('region', { name: 'Chart' }),
    history: details.getByRole('list', { name: 'History' }).getByRole('listitem'),
    dialog: page.getByRole('dialog', { name: 'Clear retained messages' }),
    /** By its last level or levels. */
    row: (name: string) => page.getByRole('treeitem', { name: new RegExp(`(^|/)${name}( |$)`) }),
    /** The count of messages at a row and below. */
    total: (name: string) =>
      page
        .getByRole('treeitem', { name: new RegExp(`^${name}[/ ]`) })
        .first()
        .locator('.topic-count'),
    fact: (name: string) =>
      panel.locator('.topics-facts > div').filter({ hasText: name }).getByRole('definition'),
  };
}
