import { formatTime } from '../../core/text';
import type { Publisher } from '../../session/publisher';
import { MessageRow } from './message-row';
import './messages.css';
import { t } from '../../core/i18n/i18n';

export function SentMessages({ publisher }: { publisher: Publisher }) {
  const sent = publisher.sent.value;
  if (sent.length === 0)
    return <p class="empty-line">{t('Nothing sent yet. What you publish appears here.')}</p>;
  return (
    <ul class="message-list box" aria-label={t('Sent messages')}>
      {sent.map(({ id, at, message }) => (
        <MessageRow
          key={id}
          message={message}
          title={<time>{formatTime(at)}</time>}
          onUse={() => publisher.edit(message)}
        />
      ))}
    </ul>
  );
}
