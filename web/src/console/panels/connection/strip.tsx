import { batch } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Page } from '../../session/page';
import { Button } from '../../ui/button';
import { onDemand } from '../../ui/on-demand';
import type { TabsProps } from './strip-tabs';
import './strip.css';
import { t } from '../../core/i18n/i18n';

const Tabs = onDemand<TabsProps>(async () => (await import('./strip-tabs')).StripTabs);

/** The connections, where there are several, and the way to one more. */
export function Strip({ page }: { page: Page }) {
  const { sessions } = page;
  const list = sessions.list.value;
  const active = sessions.active.value;
  const nav = useRef<HTMLElement>(null);
  /** What gets the focus once it is rendered. */
  const next = useRef('');

  useLayoutEffect(() => {
    if (next.current) document.querySelector<HTMLElement>(next.current)?.focus();
    next.current = '';
  });

  // The list may be longer than there is room for.
  useLayoutEffect(() => {
    nav.current
      ?.querySelector('[data-active="true"]')
      ?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [active]);

  function add() {
    next.current = '#connection select';
    batch(() => {
      sessions.open();
      // On a narrow screen the form is a view of its own.
      if (page.screen.peek() === 'narrow') page.show('broker');
    });
  }

  return (
    <nav ref={nav} class="strip line tight" aria-label={t('Connections')} data-several={list.length > 1}>
      {list.length > 1 && (
        <Tabs
          sessions={sessions}
          onClose={(session) => {
            next.current = '.strip :is([aria-current], .strip-add)';
            sessions.close(session);
          }}
        />
      )}
      {/* Not “New connection”: whoever looks for the button “Connect” shall find one. */}
      <Button
        small
        look="quiet"
        class="strip-add rigid"
        title={t('New connection, beside this one')}
        onClick={add}
      >
        <span aria-hidden="true">+</span>
        <span class="strip-words">{t('Another broker')}</span>
      </Button>
    </nav>
  );
}
