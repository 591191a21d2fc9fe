/** Context menus of rows, whose program is fetched with the first one. */

import { useEffect } from 'preact/hooks';
import type { Page } from '../../session/page';

/** Listens for the whole workspace. To be called by a part of it that is fetched after the first paint. */
export function useRowMenus(page: Page): void {
  useEffect(() => {
    const main = document.querySelector('main');
    function onContextMenu(event: MouseEvent): void {
      const row = (event.target as Element).closest<HTMLElement>('#messages .row, .tree, .subscription');
      if (!row) return;
      event.preventDefault();
      // Copied before the element is reused for another row.
      const dataset = { ...row.dataset, ...row.querySelector('button')?.dataset };
      import('./row-menu').then(
        ({ openRowMenu }) => openRowMenu(page, event, row, dataset),
        () => {}, // the server is gone
      );
    }
    main?.addEventListener('contextmenu', onContextMenu);
    return () => main?.removeEventListener('contextmenu', onContextMenu);
  }, [page]);
}
