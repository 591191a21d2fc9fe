import { useEffect, useReducer, useState } from 'preact/hooks';
import { codecOf } from '../../payload/codecs/table';
import type { Session } from '../../session/session';
import { go } from '../../session/snippets/go';
import { javascript } from '../../session/snippets/javascript';
import { mosquitto } from '../../session/snippets/mosquitto';
import { planOf } from '../../session/snippets/plan';
import { python } from '../../session/snippets/python';
import { Copy } from '../../ui/copy';
import { Select, translated } from '../../ui/fields';
import './snippets.css';
import { mark, t } from '../../core/i18n/i18n';

const languages = { javascript, go, python, mosquitto };
type Language = keyof typeof languages;

const names = [
  ['javascript', 'JavaScript (mqttwasm)'],
  ['go', 'Go (paho.golang)'],
  ['python', 'Python (paho-mqtt)'],
  ['mosquitto', mark('mosquitto_pub and mosquitto_sub')],
] as const;

/** Characters on show; the whole is copied. */
const shown = 20_000;

export function Snippets({ session }: { session: Session }) {
  const [language, setLanguage] = useState<Language>('javascript');
  const subscriptions = session.subscriptions.entries.value.map(({ wanted }) => wanted.value);
  const { draft, next, choices } = session.publisher;
  const { format } = draft.value;
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    const codec = codecOf(format);
    if (codec instanceof Promise) codec.then(redraw, () => {});
  }, [format]);
  const files = choices.files.entries.value;
  const plan = planOf(session.connection.settings.value, subscriptions, draft.value, next.value, files);
  const code = languages[language](plan);
  return (
    <div class="snippets stack">
      <div class="wide flow">
        <Select
          label={t('Language')}
          class="inline"
          value={language}
          options={translated<Language>(names)}
          onEdit={(chosen: Language) => setLanguage(chosen)}
        />
        <Copy texts={[[t('Copy code'), () => code]]} />
      </div>
      <section aria-label={t('Code')}>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard */}
        <pre class="snippet box sunken" tabIndex={0}>
          {code.slice(0, shown)}
          {code.length > shown && '\n…'}
        </pre>
      </section>
    </div>
  );
}
