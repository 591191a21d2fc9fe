import { t } from '../core/i18n/i18n';
import { formatCount } from '../core/text';
import type { State } from '../session/state';
import type { Shortcuts } from '../shortcuts/store';
import { ConnectionPanel, ConnectionStatus } from './connection/panel';
import { RoundTrip } from './connection/round-trip';
import { Strip } from './connection/strip';
import { FeedPanel } from './feed/panel';
import { PublishPanel } from './publish/panel';
import { LanguageSwitch } from './settings/language-switch';
import { NewVersion } from './settings/new-version';
import { ThemeSwitch } from './settings/theme-switch';
import { ShortcutButton } from './shortcuts/button';
import { SubscribePanel } from './subscribe/panel';
import { Tabs } from './views/tabs';

function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
      <rect class="logo-ground" width="32" height="32" rx="8" />
      <path class="logo-wave" d="M8 9a15 15 0 0 1 15 15M8 16a8 8 0 0 1 8 8" />
      <circle class="logo-source" cx="9.2" cy="22.8" r="2.4" />
    </svg>
  );
}

/** The ways around a page that is one column. */
function Jumps({ state }: { state: State }) {
  return (
    <nav class="jumps" aria-label={t('On this page')}>
      <a href="#publish">{t('Publish')}</a>
      <a href="#subscribe">{t('Subscribe')}</a>
      {/* biome-ignore lint/a11y/useValidAnchor: it leads there, once that is on show */}
      <a
        href="#messages"
        onClick={() => {
          state.view.value = 'messages';
        }}
      >
        {t('Messages {count}', { count: formatCount(state.feed.view.value.received) })}
      </a>
    </nav>
  );
}

export function App({ state, shortcuts }: { state: State; shortcuts: Shortcuts }) {
  const version = state.connection.config.value.version;
  const { id } = state.connections.active.value;
  return (
    <>
      <header class="top">
        <h1 class="brand" title={version && t('Version {version}', { version })}>
          <Logo />
          mqttwasm
        </h1>
        <ConnectionStatus connection={state.connection} />
        <RoundTrip connection={state.connection} />
        <Strip state={state} />
        <NewVersion />
        <div class="top-tools">
          <LanguageSwitch />
          <ThemeSwitch />
          <ShortcutButton shortcuts={shortcuts} />
        </div>
        <Jumps state={state} />
      </header>
      <main class="page">
        <ConnectionPanel state={state} />
        <div class="side">
          <PublishPanel key={`publish ${id}`} publisher={state.publisher} />
          <SubscribePanel key={`subscribe ${id}`} subscriptions={state.subscriptions} />
        </div>
        <Tabs topics={state.topics} connection={state.connection} toFailure={state.toFailure}>
          <FeedPanel
            feed={state.feed}
            phase={state.connection.status}
            filters={state.filters}
            client={state.recorded}
            toFailure={state.toFailure}
          />
        </Tabs>
      </main>
    </>
  );
}
