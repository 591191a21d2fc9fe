import { t } from '../core/i18n/i18n';
import { formatCount } from '../core/text';
import type { Page } from '../session/page';
import type { Shortcuts } from '../shortcuts/store';
import { ConnectionPanel, ConnectionStatus } from './connection/panel';
import { RoundTrip } from './connection/round-trip';
import { Strip } from './connection/strip';
import { FeedPanel } from './feed/panel';
import { PublishPanel } from './publish/panel';
import { LanguageSwitch } from './settings/language-switch';
import { NewVersion } from './settings/new-version';
import { ThemeSwitch } from './settings/theme-switch';
import { PaletteButton, ShortcutButton } from './shortcuts/button';
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
function Jumps({ page }: { page: Page }) {
  return (
    <nav class="jumps" aria-label={t('On this page')}>
      <a href="#publish">{t('Publish')}</a>
      <a href="#subscribe">{t('Subscribe')}</a>
      {/* biome-ignore lint/a11y/useValidAnchor: it leads there, once that is on show */}
      <a
        href="#messages"
        onClick={() => {
          page.view.value = 'messages';
        }}
      >
        {t('Messages {count}', { count: formatCount(page.feed.total.value) })}
      </a>
    </nav>
  );
}

export function App({ page, shortcuts }: { page: Page; shortcuts: Shortcuts }) {
  const session = page.sessions.active.value;
  const { id, connection } = session;
  const { version } = connection.config.value;
  return (
    <>
      {/* biome-ignore lint/a11y/useValidAnchor: it leads there, once that is on show */}
      <a
        class="skip"
        href="#messages"
        onClick={() => {
          page.view.value = 'messages';
        }}
      >
        {t('Skip to messages')}
      </a>
      <header class="top">
        <h1 class="brand line" title={version && t('Version {version}', { version })}>
          <Logo />
          mqttwasm
        </h1>
        <ConnectionStatus connection={connection} />
        <RoundTrip session={session} />
        <Strip sessions={page.sessions} />
        <NewVersion />
        <div class="top-tools line">
          <PaletteButton page={page} shortcuts={shortcuts} />
          <LanguageSwitch />
          <ThemeSwitch />
          <ShortcutButton page={page} shortcuts={shortcuts} />
        </div>
        <Jumps page={page} />
      </header>
      <main class="page">
        <ConnectionPanel page={page} session={session} />
        <div class="side">
          <PublishPanel key={`publish ${id}`} publisher={session.publisher} topics={session.topics.model} />
          <SubscribePanel key={`subscribe ${id}`} subscriptions={session.subscriptions} />
        </div>
        <Tabs view={page.view} session={session}>
          <FeedPanel page={page} phase={connection.status} />
        </Tabs>
      </main>
    </>
  );
}
