/** Navigation between the views, on a narrow screen. */

import { useRef } from 'preact/hooks';
import { mark, t } from '../../core/i18n/i18n';
import type { View } from '../../core/view';
import type { Page } from '../../session/page';

const links: readonly (readonly [view: View, label: string, path: string])[] = [
  ['messages', mark('Feed'), 'M2.5 4h11M2.5 8h11M2.5 12h7'],
  ['topics', mark('Topics'), 'M3 3h4M5 3v10M5 8h3M5 13h3M10.5 8h3M10.5 13h3'],
  ['publish', mark('Publish'), 'M2.5 8h9M8 4l4 4-4 4'],
  ['broker', mark('Broker'), 'M2.5 3h11v4h-11zM2.5 9h11v4h-11zM5 5h.01M5 11h.01'],
];

export function ViewNav({ page }: { page: Page }) {
  const now = page.view.value;
  const chosen = links.find(([view]) => view === now)?.[0] ?? 'broker';
  /** “Broker” leads back to the one of its views that was shown last, and from there to its first. */
  const ofBroker = useRef<View>('broker');
  if (chosen === 'broker') ofBroker.current = now;
  return (
    <nav class="view-nav" aria-label={t('Views')}>
      {links.map(([view, label, path]) => (
        <button
          key={view}
          type="button"
          aria-current={view === chosen ? 'page' : undefined}
          onClick={() => page.show(view === 'broker' && chosen !== view ? ofBroker.current : view)}
        >
          <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
            <path d={path} />
          </svg>
          {t(label)}
        </button>
      ))}
    </nav>
  );
}
