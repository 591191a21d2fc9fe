import { useState } from 'preact/hooks';
import { t } from '../../core/i18n/i18n';
import { linkTo } from '../../session/link';
import type { Session } from '../../session/session';
import { withoutSecrets } from '../../session/settings';
import { Copy } from '../../ui/copy';
import { Checkbox, TextField } from '../../ui/fields';

export function ShareLink({ session }: { session: Session }) {
  const [withMessage, setWithMessage] = useState(true);
  const { file, ...message } = session.publisher.draft.value;
  const { url } = session.connection.settings.value;
  const subscriptions = session.subscriptions.entries.value.map(({ wanted }) => wanted.value);
  const link = linkTo(location.href, {
    broker: url,
    subscriptions,
    message: withMessage ? { ...message, file: undefined } : undefined,
  });
  const cut = URL.canParse(url) && withoutSecrets(url) !== new URL(url).href;
  return (
    <div class="stack">
      <TextField label={t('Link to this')} value={link} onEdit={() => {}} />
      <div class="wide flow">
        <Copy texts={[[t('Copy link'), () => link]]} />
        <Checkbox label={t('With the message in the form')} checked={withMessage} onEdit={setWithMessage} />
      </div>
      <p class="empty-line">
        {withMessage
          ? t(
              'It holds the broker’s address, the subscriptions and the message; no user name, password or client ID.',
            )
          : t('It holds the broker’s address, the subscriptions; no user name, password or client ID.')}
        {cut && ` ${t('The user name, password and query in the address are left out.')}`}
        {withMessage && file && ` ${t('The file is left out.')}`}
      </p>
    </div>
  );
}
