import type { Message } from '../../client';
import { formatBytes, formatCount, formatTime } from '../text';
import { previewOf } from './payload';

interface Props {
  message: Message;
  number: number;
  top: number;
  height: number;
  open: boolean;
  tabbable: boolean;
  onOpen(number: number): void;
}

export function Row({ message, number, top, height, open, tabbable, onOpen }: Props) {
  const { topic, kind, text, more } = previewOf(message);
  return (
    <div class="row" data-open={open} style={{ transform: `translateY(${top}px)`, height: `${height}px` }}>
      <time class="row-time">{formatTime(message.receivedAt)}</time>
      <bdi class="row-topic">{topic}</bdi>
      <span class="row-body">
        <bdi class="row-payload" data-kind={kind}>
          {kind === 'empty' ? 'empty' : text}
        </bdi>
        {more > 0 && <span class="row-more">… {formatCount(more)} more bytes</span>}
        {kind === 'binary' && <span class="tag">binary</span>}
        {message.retain && <span class="tag">retained</span>}
      </span>
      <span class="row-qos tag" data-qos={message.qos}>
        QoS {message.qos}
      </span>
      <span class="row-size">{formatBytes(message.payload.length)}</span>
      <button
        type="button"
        class="row-open"
        data-number={number}
        tabIndex={tabbable ? 0 : -1}
        aria-expanded={open}
        aria-label={`Details of message ${number + 1}`}
        onClick={() => onOpen(number)}
      />
    </div>
  );
}
