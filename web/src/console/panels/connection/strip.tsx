import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Session } from '../../session/session';
import type { Sessions } from '../../session/sessions';
import { Button } from '../../ui/button';
import { onDemand } from '../../ui/on-demand';
import type { TabsProps } from './strip-tabs';
import './strip.css';
import { t } from '../../core/i18n/i18n';

const Tabs = onDemand<TabsProps>(async () => (await import('./strip-tabs')).StripTabs);

/** The connections, where there are several, and the way to one more. */
export function Strip({ sessions }: { sessions: Sessions<Session> }) {
  const list = sessions.list.value;
  const active = sessions.active.value;
  const nav = useRef<HTMLElement>(null);
  const closed = useRef(false);

  // The button that had the focus is gone.
  useLayoutEffect(() => {
    if (!closed.current) return;
    closed.current = false;
    nav.current?.querySelector<HTMLElement>('[aria-current], .strip-add')?.focus();
  });

  // The list may be longer than there is room for.
  useLayoutEffect(() => {
    nav.current
      ?.querySelector('[data-active="true"]')
      ?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [active]);

  function add() {
    sessions.open();
    document.querySelector<HTMLElement>('#connection select')?.focus();
  }

  return (
    <nav ref={nav} class="strip line" aria-label={t('Connections')} data-several={list.length > 1}>
      {list.length > 1 && (
        <Tabs
          sessions={sessions}
          onClose={(session) => {
            closed.current = true;
            sessions.close(session);
          }}
        />
      )}
      {/* Not “New connection”: whoever looks for the button “Connect” shall find one. */}
      <Button
        small
        look="quiet"
        class="strip-add line"
        title={t('Connect to one more broker beside this one')}
        onClick={add}
      >
        <span aria-hidden="true">+</span>
        <span class="strip-words">{t('Another broker')}</span>
      </Button>
    </nav>
  );
}
