import { t } from '../../core/i18n/i18n';
import { formatBytes, formatTime } from '../../core/text';
import { summaryOf } from '../../log/packets/describe';
import type { Entry } from '../../log/packets/packet-entry';

/** Such as `+12 ms`, beside the time of day. */
function formatGap(milliseconds: number): string {
  if (milliseconds < 10_000) return `+${Math.round(milliseconds)} ms`;
  return `+${Math.round(milliseconds / 1000)} s`;
}

interface Props {
  entry: Entry;
  position: number;
  top: number;
  height: number;
  open: boolean;
  tabbable: boolean;
  onOpen(): void;
}

export function PacketRow({ entry, position, top, height, open, tabbable, onOpen }: Props) {
  const { number, sent, packet, identifier, gap, request, took = 0 } = entry;
  const name = packet.cmd.toUpperCase();
  return (
    <div class="row" data-open={open} style={{ transform: `translateY(${top}px)`, height: `${height}px` }}>
      <time class="row-time">{formatTime(packet.at)}</time>
      <span class="packet-gap">{gap !== undefined && formatGap(gap)}</span>
      <span class="packet-name" data-direction={sent ? 'sent' : 'received'}>
        <span aria-hidden="true">{sent ? '→' : '←'}</span> {name}
      </span>
      <span class="packet-id">{identifier !== undefined && `#${identifier}`}</span>
      <span class="row-body">
        <bdi class="packet-summary">{summaryOf(packet)}</bdi>
        {request !== undefined && (
          <span class="packet-took">{t('after {milliseconds} ms', { milliseconds: Math.round(took) })}</span>
        )}
      </span>
      <span class="row-size">{formatBytes(packet.bytes.length)}</span>
      <button
        type="button"
        class="row-open"
        data-packet={number}
        data-position={position}
        tabIndex={tabbable ? 0 : -1}
        aria-expanded={open}
        aria-label={t(
          sent ? 'Details of packet {number}, {name} sent' : 'Details of packet {number}, {name} received',
          {
            number: number + 1,
            name,
          },
        )}
        onClick={onOpen}
      />
    </div>
  );
}
