import type { Page } from '@playwright/test';

/** Controls of a bar or form that overlap, and rows whose content is cut off at the bottom. */
export function collisionsOf(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const wordsOf = (element: Element) => (element.ariaLabel ?? element.textContent ?? '').slice(0, 40);
    const seen = (element: Element) => element.checkVisibility({ visibilityProperty: true });

    /** The element's box, clipped by its scrolling ancestors. */
    function boxOf(element: Element) {
      const { left, top, right, bottom } = element.getBoundingClientRect();
      const box = { left, top, right, bottom };
      for (let around = element.parentElement; around; around = around.parentElement) {
        if (getComputedStyle(around).overflow === 'visible') continue;
        const edges = around.getBoundingClientRect();
        box.left = Math.max(box.left, edges.left);
        box.top = Math.max(box.top, edges.top);
        box.right = Math.min(box.right, edges.right);
        box.bottom = Math.min(box.bottom, edges.bottom);
      }
      return box;
    }

    const over: string[] = [];
    for (const bar of document.querySelectorAll(
      '.top, .middle-head, .feed-head, .feed-status, .publish-form',
    )) {
      const controls = [...bar.querySelectorAll('button, select, textarea, input:not([type=file])')]
        .filter((control) => seen(control) && !control.closest('dialog, [popover]'))
        .map((control) => [control, boxOf(control)] as const);
      controls.forEach(([one, a], at) => {
        for (const [other, b] of controls.slice(at + 1)) {
          const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
          const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
          if (wide > 1 && high > 1) over.push(`${wordsOf(one)} over ${wordsOf(other)}`);
        }
      });
    }
    const cut = [...document.querySelectorAll('.row')].filter(seen).flatMap((row) => {
      const { top, bottom } = row.getBoundingClientRect();
      return [...row.children]
        .filter((child) => {
          const box = child.getBoundingClientRect();
          return box.height > 0 && (box.top < top - 1 || box.bottom > bottom + 1);
        })
        .map((child) => `cut off in a row: ${wordsOf(child)}`);
    });
    return [...over, ...cut];
  });
}
