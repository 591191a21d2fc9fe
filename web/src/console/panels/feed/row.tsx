import { t } from '../../core/i18n/i18n';
import { formatBytes, formatCount, formatTime } from '../../core/text';
import { directionOf, type Entry } from '../../log/entry';
import type { Marks } from '../../log/marks';
import { previewOf } from '../../payload/preview';
import type { Source } from '../../session/subscriptions';
import { RowMarks } from './filter-mark';
import { ViaLabel } from './via';

interface Props {
  entry: Entry;
  /** Of the search, once they are known. */
  marks: Marks | undefined;
  /** Whether to tell by which connection it came or went. */
  withConnection: boolean;
  /** The subscriptions by which it came. */
  sources: readonly Source[];
}

function Marked({ parts, text }: { parts: string[] | undefined; text: string }) {
  if (!parts || parts.length < 2) return <>{text}</>;
  return <>{parts.map((part, index) => (index % 2 ? <mark key={index}>{part}</mark> : part))}</>;
}

export function labelFor({ ordinal, sent, replayed }: Entry): string {
  const number = ordinal + 1;
  if (!replayed)
    return t(sent ? 'Details of sent message {number}' : 'Details of message {number}', { number });
  return t(sent ? 'Details of replayed sent message {number}' : 'Details of replayed message {number}', {
    number,
  });
}

export function Row({ entry, marks, withConnection, sources }: Props) {
  const { message, sent, replayed } = entry;
  const { topic, kind, text, more } = previewOf(message);
  return (
    <>
      <RowMarks sources={sources} />
      <time class="row-time fine">{formatTime(message.receivedAt)}</time>
      <bdi class="row-topic clip">
        <Marked parts={marks?.topic} text={topic} />
      </bdi>
      <span class="row-body">
        <bdi class="row-payload clip" data-kind={kind}>
          {kind === 'empty' ? t('empty') : <Marked parts={marks?.text} text={text} />}
        </bdi>
        {more > 0 && (
          <span class="row-more fine">{t('… {count} more bytes', { count: formatCount(more) })}</span>
        )}
        {kind === 'binary' && <span class="tag">{t('binary')}</span>}
        {replayed && <span class="tag">{t('replayed')}</span>}
        {message.retain && <span class="tag">{sent ? t('retain') : t('retained')}</span>}
        {sent && (
          <span class="tag" data-direction={directionOf(entry)}>
            {t(entry.unsent ? 'not sent' : 'sent')}
          </span>
        )}
        {withConnection && entry.via.name && <ViaLabel name={entry.via.name} />}
      </span>
      <span class="row-qos tag" data-qos={message.qos}>
        QoS {message.qos}
      </span>
      <span class="row-size fine">{formatBytes(message.payload.length)}</span>
    </>
  );
}
