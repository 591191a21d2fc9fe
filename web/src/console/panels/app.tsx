import { t } from '../core/i18n/i18n';
import type { Page } from '../session/page';
import type { Shortcuts } from '../shortcuts/store';
import { ConnectionNotes, ConnectionPanel, ConnectionStatus } from './connection/panel';
import { RoundTrip } from './connection/round-trip';
import { Strip } from './connection/strip';
import { LanguageSwitch } from './settings/language-switch';
import { NewVersion } from './settings/new-version';
import { ThemeSwitch } from './settings/theme-switch';
import { PaletteButton, ShortcutButton } from './shortcuts/button';
import { Workspace } from './workspace/workspace';

function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
      <rect fill="var(--brand)" width="32" height="32" rx="8" />
      <path
        fill="none"
        stroke="#fff"
        stroke-width="3"
        stroke-linecap="round"
        d="M8 9a15 15 0 0 1 15 15M8 16a8 8 0 0 1 8 8"
      />
      <circle fill="#fff" cx="9.2" cy="22.8" r="2.4" />
    </svg>
  );
}

export function App({ page, shortcuts }: { page: Page; shortcuts: Shortcuts }) {
  const session = page.sessions.active.value;
  const { connection } = session;
  const { version } = connection.config.value;
  return (
    <div class="page column" data-view={page.view.value}>
      {/* biome-ignore lint/a11y/useValidAnchor: it leads there, once that is on show */}
      <a class="skip" href="#messages" onClick={() => page.show('messages')}>
        {t('Skip to messages')}
      </a>
      <header class="top flow rigid surface">
        <h1 class="brand line" title={version && t('Version {version}', { version })}>
          <Logo />
          <span class="brand-name">mqttwasm</span>
        </h1>
        <ConnectionStatus connection={connection} />
        <ConnectionPanel page={page} session={session} />
        <RoundTrip session={session} />
        <Strip page={page} />
        <div class="top-tools line end">
          <PaletteButton page={page} shortcuts={shortcuts} />
          <LanguageSwitch />
          <ThemeSwitch />
          <ShortcutButton page={page} shortcuts={shortcuts} />
        </div>
        <ConnectionNotes connection={connection} />
        <NewVersion />
      </header>
      <Workspace page={page} session={session} />
    </div>
  );
}
