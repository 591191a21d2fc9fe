import { useLayoutEffect, useRef } from 'preact/hooks';
import { visible } from '../../core/text';
import { viaHueOf } from '../../log/colours';
import { phaseWords } from '../../session/phase';
import type { Session } from '../../session/session';
import type { Sessions } from '../../session/sessions';
import { Button } from '../../ui/button';
import { hue } from '../../ui/hue';
import './strip.css';
import { t } from '../../core/i18n/i18n';

function Tab({
  session,
  active,
  onShow,
  onClose,
}: {
  session: Session;
  active: boolean;
  onShow(): void;
  onClose(): void;
}) {
  const shown = visible(session.name.value);
  const { phase, url } = session.connection.status.value;
  const words = phaseWords(phase);
  const repeats = session.publisher.repeating.value !== undefined;
  return (
    <li class="strip-tab box muted" data-active={active} style={hue(viaHueOf(session.name.value))}>
      <button
        type="button"
        class="strip-show line"
        aria-current={active ? 'true' : undefined}
        aria-label={[shown, words, repeats && t('publishing repeatedly')].filter(Boolean).join(', ')}
        title={`${visible(url) || shown}: ${words}`}
        onClick={onShow}
      >
        <span class="strip-dot" data-phase={phase} aria-hidden="true" />
        <bdi class="strip-name clip">{shown}</bdi>
        {repeats && (
          <span class="strip-repeats" title={t('Publishing repeatedly')}>
            ↻
          </span>
        )}
      </button>
      <button
        type="button"
        class="strip-close line"
        aria-label={t('Close {name}', { name: shown })}
        onClick={onClose}
      >
        ×
      </button>
    </li>
  );
}

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
        <ul class="strip-tabs">
          {list.map((session) => (
            <Tab
              key={session.id}
              session={session}
              active={session === active}
              onShow={() => sessions.show(session)}
              onClose={() => {
                closed.current = true;
                sessions.close(session);
              }}
            />
          ))}
        </ul>
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
