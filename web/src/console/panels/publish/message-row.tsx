import type { ComponentChildren } from 'preact';
import { t } from '../../core/i18n/i18n';
import { formatBytes, visible } from '../../core/text';
import type { Message } from '../../session/message';

/** Characters: enough to distinguish messages. */
const shown = 120;

interface Props {
  message: Message;
  /** Its title, shown first. */
  title: ComponentChildren;
  onUse(): void;
  children?: ComponentChildren;
}

export function MessageRow({ message, title, onUse, children }: Props) {
  const { topic, payload, file, qos, retain } = message;
  const what = file
    ? `${file.name}, ${formatBytes(file.bytes.length)}`
    : payload.slice(0, shown) || t('empty');
  return (
    <li class="message-row line">
      <button
        type="button"
        class="message-use item"
        onClick={(event) => {
          onUse();
          // Shows the form that it fills.
          event.currentTarget.closest('#publish')?.scrollTo({ top: 0 });
        }}
      >
        <span class="bold clip">
          <span class="visually-hidden">{t('Load into form')} </span>
          {title}
        </span>
        <bdi class="across mono fine clip">{visible(topic.slice(0, shown))}</bdi>
        <bdi class="message-payload across mono fine clip">{visible(what)}</bdi>
        <span class="message-facts fine">{retain ? t('QoS {qos}, retained', { qos }) : `QoS ${qos}`}</span>
      </button>
      {children}
    </li>
  );
}
