import { useState } from 'preact/hooks';
import type { Brought } from '../../automation/library';
import { plural, t } from '../../core/i18n/i18n';
import { readText } from '../../core/read-text';
import { saveAs } from '../../core/save-as';
import { visible } from '../../core/text';
import type { Page, PartProps } from '../../session/page';
import { exportProfiles, largestFile, type Profile, profilesOf } from '../../session/profiles';
import { hasSecrets, withoutSecrets } from '../../session/settings';
import { Button, FileButton, IconButton } from '../../ui/button';
import { Checkbox, TextField } from '../../ui/fields';
import { useTold } from '../../ui/told';
import './profile-list.css';

/** Opens another connection and connects at once. */
function openNew({ sessions }: Page, profile: Profile): void {
  const session = sessions.open();
  session.use(profile);
  void session.connection.connect();
}

function cameAlong({ count, known }: Brought): string {
  return [
    count > 0 &&
      plural(
        count,
        '{count} script came along, switched off: read its code under Scripts before you switch it on.',
        '{count} scripts came along, switched off: read their code under Scripts before you switch them on.',
      ),
    known > 0 && plural(known, '{count} script is here already.', '{count} scripts are here already.'),
  ]
    .filter(Boolean)
    .join(' ');
}

const scriptCount = (count: number): string => plural(count, '{count} script', '{count} scripts');

function Row({ profile, page }: { profile: Profile; page: Page }) {
  const { name, settings, scripts = [] } = profile;
  const profiles = page.part(profilesOf);
  const shown = visible(name);
  return (
    <li class="profile surface line tight box">
      <button type="button" class="item" onClick={() => page.sessions.active.value.use(profile)}>
        <span class="bold clip">
          <span class="visually-hidden">{t('Use')} </span>
          <bdi>{shown}</bdi>
        </span>
        <bdi class="mono fine clip">{visible(withoutSecrets(settings.url))}</bdi>
      </button>
      {scripts.length > 0 && <span class="tag">{scriptCount(scripts.length)}</span>}
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

export function ProfileList({ page, session }: PartProps) {
  const [name, setName] = useState('');
  const [withSecrets, setWithSecrets] = useState(false);
  const news = useTold();
  const profiles = page.part(profilesOf);
  const entries = profiles.entries.value;

  function save() {
    const { names } = session.scripts.on.value;
    if (!profiles.save(name, session.connection.settings.value, withSecrets, names)) return;
    const saved = visible(name.trim());
    news.value = () => t('Saved “{name}”.', { name: saved });
    setName('');
  }

  /** Undefined if its program can't be loaded, which is reported. */
  async function library() {
    try {
      const { automationOf } = await import('../../automation/scripts');
      return page.part(automationOf).library;
    } catch {
      profiles.problem.value = () => t('The server of this page did not deliver this part.');
      return undefined;
    }
  }

  async function read(file: File) {
    news.value = '';
    const text = await readText(file, largestFile, profiles.problem);
    if (text === undefined) return;
    const some = text.includes('"scripts"');
    const scripts = some ? await library() : undefined;
    if (some && !scripts) return;
    const came: Brought[] = [];
    const count = profiles.add(text, (given) => {
      const brought = scripts?.bring(given);
      if (brought) came.push(brought);
      return brought?.names ?? new Map();
    });
    if (count === 0) for (const { undo } of came) undo();
    else news.value = () => [t('{count} imported.', { count }), ...came.map(cameAlong)].join(' ');
  }

  async function write() {
    const names = new Set(entries.flatMap((profile) => profile.scripts ?? []));
    const all = names.size > 0 ? await library() : undefined;
    if (names.size > 0 && !all) return;
    const scripts = all?.plain(names) ?? [];
    saveAs(
      'mqttwasm-profiles.json',
      new Blob([exportProfiles(entries, scripts)], { type: 'application/json' }),
    );
    news.value = () =>
      scripts.length > 0 ? t('Exported with {scripts}.', { scripts: scriptCount(scripts.length) }) : '';
  }

  return (
    <div class="profiles stack">
      {entries.length === 0 ? (
        <p class="empty-line">{t('No profiles yet. Save what the form holds, or import a file.')}</p>
      ) : (
        <ul class="profile-rows stack scrolls" aria-label={t('Profiles')}>
          {entries.map((profile) => (
            <Row key={profile.name} profile={profile} page={page} />
          ))}
        </ul>
      )}
      <div class="profile-save level line from-top">
        <TextField
          label={t('Save the settings as')}
          class="grow narrow"
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
      <div class="profile-files line">
        <FileButton label={t('Import profiles')} accept=".json,application/json" onFile={read} />
        <Button disabled={entries.length === 0} onClick={() => void write()}>
          {t('Export')}
        </Button>
      </div>
      <p class="empty-line unless-empty" role="status" aria-label={t('Profiles')}>
        {news.value}
      </p>
    </div>
  );
}
