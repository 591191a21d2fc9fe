/** Scripts run also while they are not shown; their program is fetched with the first one. */

import { useSignalEffect } from '@preact/signals';
import type { Page } from '../../session/page';

/** To be called by a part of the page that is fetched after the first paint. */
export function useScripts(page: Page): void {
  useSignalEffect(() => {
    const some = page.sessions.list.value.filter(({ scripts }) => scripts.on.value.names.length > 0);
    if (some.length === 0) return;
    import('../../automation/scripts').then(
      ({ automationOf }) => {
        const automation = page.part(automationOf);
        const open = page.sessions.list.peek();
        for (const session of some) if (open.includes(session)) automation.of(session);
      },
      () => {}, // the server is gone: the view of the scripts says so
    );
  });
}
