import { t } from '../../core/i18n/i18n';
import { formatBytes, formatTime } from '../../core/text';
import type { Entry } from '../../log/packets/packet-entry';

/** Such as `+12 ms`, beside the time of day. */
function formatGap(milliseconds: number): string {
  if (milliseconds < 10_000) return `+${Math.round(milliseconds)} ms`;
  return `+${Math.round(milliseconds / 1000)} s`;
}

export function labelFor({ number, sent, packet }: Entry): string {
  return t(sent ? 'Details of packet {number}, {name} sent' : 'Details of packet {number}, {name} received', {
    number: number + 1,
    name: packet.cmd.toUpperCase(),
  });
}

export function PacketRow({ entry, summary }: { entry: Entry; summary: string }) {
  const { sent, packet, identifier, gap, request, took = 0 } = entry;
  return (
    <>
      <time class="row-time mono fine nowrap">{formatTime(packet.at)}</time>
      <span class="packet-gap fine nowrap right">{gap !== undefined && formatGap(gap)}</span>
      <span class="packet-name mono nowrap bold" data-direction={sent ? 'sent' : 'received'}>
        <span aria-hidden="true">{sent ? '→' : '←'}</span> {packet.cmd.toUpperCase()}
      </span>
      <span class="packet-id mono fine nowrap">{identifier !== undefined && `#${identifier}`}</span>
      <span class="row-body line">
        <bdi class="packet-summary mono clip">{summary}</bdi>
        {request !== undefined && (
          <span class="rigid fine nowrap end">
            {t('after {milliseconds} ms', { milliseconds: Math.round(took) })}
          </span>
        )}
      </span>
      <span class="row-size fine nowrap right">{formatBytes(packet.bytes.length)}</span>
    </>
  );
}
