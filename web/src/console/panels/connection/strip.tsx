import { useLayoutEffect, useRef } from 'preact/hooks';
import { visible } from '../../core/text';
import { viaColourOf } from '../../log/colours';
import { phaseWords } from '../../session/phase';
import type { Live } from '../../session/session';
import type { State } from '../../session/state';
import './strip.css';
import { t } from '../../core/i18n/i18n';

function Tab({
  live,
  active,
  state,
  onClose,
}: {
  live: Live;
  active: boolean;
  state: State;
  onClose(): void;
}) {
  const shown = visible(live.name.value);
  const { phase, url } = live.connection.status.value;
  const words = phaseWords(phase);
  const repeats = live.publisher.repeating.value !== undefined;
  return (
    <li class="strip-tab" data-active={active} data-colour={viaColourOf(live.name.value)}>
      <button
        type="button"
        class="strip-show"
        aria-current={active ? 'true' : undefined}
        aria-label={[shown, words, repeats && t('publishing repeatedly')].filter(Boolean).join(', ')}
        title={`${visible(url) || shown}: ${words}`}
        onClick={() => state.connections.show(live)}
      >
        <span class="strip-dot" data-phase={phase} aria-hidden="true" />
        <bdi class="strip-name">{shown}</bdi>
        {repeats && (
          <span class="strip-repeats" title={t('Publishing repeatedly')}>
            ↻
          </span>
        )}
      </button>
      <button
        type="button"
        class="strip-close"
        aria-label={t('Close {name}', { name: shown })}
        onClick={onClose}
      >
        ×
      </button>
    </li>
  );
}

/** The connections, where there are several, and the way to one more. */
export function Strip({ state }: { state: State }) {
  const { connections } = state;
  const list = connections.list.value;
  const active = connections.active.value;
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
    connections.open();
    document.querySelector<HTMLElement>('#connection select')?.focus();
  }

  return (
    <nav ref={nav} class="strip" aria-label={t('Connections')} data-several={list.length > 1}>
      {list.length > 1 && (
        <ul class="strip-tabs">
          {list.map((live) => (
            <Tab
              key={live.id}
              live={live}
              active={live === active}
              state={state}
              onClose={() => {
                closed.current = true;
                connections.close(live);
              }}
            />
          ))}
        </ul>
      )}
      {/* Not “New connection”: whoever looks for the button “Connect” shall find one. */}
      <button
        type="button"
        class="button quiet small strip-add"
        title={t('Connect to one more broker beside this one')}
        onClick={add}
      >
        <span aria-hidden="true">+</span>
        <span class="strip-words">{t('Another broker')}</span>
      </button>
    </nav>
  );
}
