import { t } from '../../core/i18n/i18n';
import { formatBytes, formatTime } from '../../core/text';
import { directionOf, type Entry } from '../../log/entry';
import type { Marks } from '../../log/marks';
import type { Recall } from '../../payload/choices';
import type { Readable } from '../../payload/guess';
import type { Source } from '../../session/subscriptions';
import { Brief, TopicText, usePreview } from '../../ui/brief';
import { RowMarks } from './filter-mark';
import { ViaLabel } from './via';

interface Props {
  entry: Entry;
  recall: Recall;
  /** Passed separately, since it may change later while the entry stays the same object. */
  decoded: Readable['decoded'];
  alert: Entry['alert'];
  unsent: Entry['unsent'];
  /** The matches of the search, once they are known. */
  marks: Marks | undefined;
  /** The colours of connections, where there are several. */
  hueOf: ((name: string) => number) | undefined;
  /** The subscriptions that it matches. */
  sources: readonly Source[];
}

export function labelFor({ ordinal, sent, replayed }: Entry): string {
  const number = ordinal + 1;
  if (!replayed)
    return t(sent ? 'Details of sent message {number}' : 'Details of message {number}', { number });
  return t(sent ? 'Details of replayed sent message {number}' : 'Details of replayed message {number}', {
    number,
  });
}

export function Row({ entry, recall, alert, marks, hueOf, sources }: Props) {
  const { message, via, sent, replayed } = entry;
  const preview = usePreview(message, recall, () => via.births?.before(message));
  const { topic, kind, more } = preview;
  const time = formatTime(message.receivedAt);
  return (
    <>
      <RowMarks sources={sources} />
      <time class="row-time mono fine nowrap">
        {time.slice(0, -4)}
        <span class="row-fraction">{time.slice(-4)}</span>
      </time>
      <TopicText class="row-topic accent" topic={topic} parts={marks?.topic} />
      <span class="row-body line">
        <Brief class="row-payload" preview={preview} parts={marks?.text} />
        {more > 0 && <span class="row-more rigid fine nowrap">{formatBytes(message.payload.length)}</span>}
        {kind === 'binary' && <span class="tag">{t('binary')}</span>}
        {alert && (
          <b class="tag row-alert" data-tone="warning">
            {alert}
          </b>
        )}
        {message.qos > 0 && (
          <span class="tag" data-qos={message.qos}>
            QoS {message.qos}
          </span>
        )}
        {replayed && <span class="tag">{t('replayed')}</span>}
        {message.retain && <span class="tag">{sent ? t('retain') : t('retained')}</span>}
        {sent && (
          <span class="tag" data-direction={directionOf(entry)}>
            {t(entry.unsent ? 'not sent' : 'sent')}
          </span>
        )}
        {hueOf && via.name && <ViaLabel name={via.name} colour={hueOf(via.name)} />}
      </span>
      <span class="row-size fine nowrap right">{formatBytes(message.payload.length)}</span>
    </>
  );
}
