import { useState } from 'preact/hooks';
import { saveAs } from '../../core/save-as';
import { formatCount, visible } from '../../core/text';
import type { Page } from '../../session/page';
import { createProfiles, exportProfiles, type Profile } from '../../session/profiles';
import type { Session } from '../../session/session';
import { hasSecrets } from '../../session/settings';
import { Button, FileButton, IconButton } from '../../ui/button';
import { Checkbox, TextField } from '../../ui/fields';
import './profile-list.css';
import { t } from '../../core/i18n/i18n';

const profiles = createProfiles();

/** Beside the connection that is shown, and at once. */
function openNew({ sessions }: Page, profile: Profile): void {
  const session = sessions.open();
  session.use(profile);
  void session.connection.connect();
}

function Row({ profile, page }: { profile: Profile; page: Page }) {
  const { name, settings } = profile;
  const shown = visible(name);
  return (
    <li class="profile line box">
      <button type="button" class="profile-use item" onClick={() => page.sessions.active.value.use(profile)}>
        <span class="profile-name clip">
          <span class="visually-hidden">{t('Use')} </span>
          <bdi>{shown}</bdi>
        </span>
        <bdi class="profile-url clip fine">{visible(settings.url)}</bdi>
      </button>
      {hasSecrets(settings) && <span class="tag">{t('with password')}</span>}
      <IconButton
        label={t('Open {name} in new connection', { name: shown })}
        title={t('Open in new connection')}
        onClick={() => openNew(page, profile)}
      >
        ↗
      </IconButton>
      <IconButton label={t('Delete {name}', { name: shown })} onClick={() => profiles.remove(name)} />
    </li>
  );
}

export function ProfileList({ page, session }: { page: Page; session: Session }) {
  const [name, setName] = useState('');
  const [withSecrets, setWithSecrets] = useState(false);
  const [news, setNews] = useState('');
  const entries = profiles.entries.value;

  function save() {
    const { names } = session.scripts.on.value;
    if (!profiles.save(name, session.connection.settings.value, withSecrets, names)) return;
    setNews(t('Saved “{name}”.', { name: visible(name.trim()) }));
    setName('');
  }

  async function read(file: File) {
    const count = profiles.add(await file.text());
    setNews(count > 0 ? t('{count} imported.', { count: formatCount(count) }) : '');
  }

  return (
    <div class="profiles stack">
      {entries.length === 0 ? (
        <p class="empty-line">{t('No profiles yet. Save what the form holds, or import a file.')}</p>
      ) : (
        <ul class="profile-rows stack" aria-label={t('Profiles')}>
          {entries.map((profile) => (
            <Row key={profile.name} profile={profile} page={page} />
          ))}
        </ul>
      )}
      <div class="profile-save">
        <TextField
          label={t('Save the settings as')}
          value={name}
          error={profiles.problem.value || undefined}
          onEdit={(typed) => {
            profiles.problem.value = '';
            setName(typed);
          }}
        />
        <Button onClick={save}>{t('Save')}</Button>
      </div>
      <Checkbox label={t('Save password (unencrypted)')} checked={withSecrets} onEdit={setWithSecrets} />
      <div class="profile-files">
        <FileButton
          text={t('Import…')}
          label={t('Import profiles')}
          accept=".json,application/json"
          onFiles={([file]) => file && void read(file)}
        />
        <Button
          disabled={entries.length === 0}
          onClick={() =>
            saveAs(
              'mqttwasm-profiles.json',
              new Blob([exportProfiles(entries)], { type: 'application/json' }),
            )
          }
        >
          {t('Export')}
        </Button>
      </div>
      <p class="empty-line" role="status" aria-label={t('Profiles')}>
        {news}
      </p>
    </div>
  );
}
