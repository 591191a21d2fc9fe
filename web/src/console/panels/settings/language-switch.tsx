import { useState } from 'preact/hooks';
import { choose, type Language, language, languages, t, tags } from '../../core/i18n/i18n';
import { IconSelect } from '../../ui/icon-select';
import './language-switch.css';

const globe =
  'M8 1.5a6.5 6.5 0 1 1 0 13a6.5 6.5 0 1 1 0-13M1.5 8h13M8 1.5c3.6 3.6 3.6 9.4 0 13M8 1.5c-3.6 3.6-3.6 9.4 0 13';

const names = Object.keys(languages) as Language[];

export function LanguageSwitch() {
  const [failed, setFailed] = useState(false);

  function change(wanted: Language): void {
    setFailed(false);
    choose(wanted).catch(() => setFailed(true));
  }

  return (
    <span class="language">
      <IconSelect
        label={t('Language')}
        path={globe}
        value={language.value}
        options={names.map((name) => [name, languages[name], tags[name]] as const)}
        onEdit={change}
      />
      {failed && (
        <span class="language-failed box inset surface bad small-text" role="alert">
          {t('The server of this page did not deliver this language. Choose it again to retry.')}
        </span>
      )}
    </span>
  );
}
