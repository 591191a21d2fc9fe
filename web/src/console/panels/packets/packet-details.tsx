import { bytes } from '../../core/counts';
import { parts, t } from '../../core/i18n/i18n';
import { limits } from '../../core/limits';
import { formatCount, formatTime } from '../../core/text';
import { detailsOf } from '../../log/packets/describe';
import { recordOf } from '../../log/packets/export';
import type { Entry } from '../../log/packets/packet-entry';
import type { PacketLog } from '../../log/packets/packet-log';
import { maskedDump } from '../../log/packets/secrets';
import type { PartProps } from '../../session/page';
import { Button } from '../../ui/button';
import { Copy } from '../../ui/copy';
import { Facts } from '../../ui/facts';
import { LogDetails } from '../feed/log-details';
import { packetsOf } from './packets';

function Exchange({ log, entry }: { log: PacketLog; entry: Entry }) {
  const { request, answer, took = 0 } = entry;
  const other = log.get(request ?? answer ?? -1);
  if (!other) return null;
  return (
    <p class="muted">
      {parts(
        request !== undefined
          ? 'Answers {packet} after {milliseconds} ms'
          : 'Answered by {packet} within {milliseconds} ms',
        {
          packet: (
            <Button look="link" onClick={() => log.select(other.number)}>
              {t('{name}, packet {number}', {
                name: other.packet.cmd.toUpperCase(),
                number: formatCount(other.number + 1),
              })}
            </Button>
          ),
          milliseconds: Math.round(took),
        },
      )}
    </p>
  );
}

function titleOf({ packet, sent }: Entry): string {
  return t(sent ? '{packet} sent {time}' : '{packet} received {time}', {
    packet: packet.cmd.toUpperCase(),
    time: formatTime(packet.at),
  });
}

function Body({ log, entry }: { log: PacketLog; entry: Entry }) {
  const { packet } = entry;
  const size = packet.bytes.length;
  return (
    <>
      <Facts
        facts={detailsOf(packet).map(([name, clause, value]) => ({
          name: clause ? `${name} (${clause})` : name,
          value,
        }))}
      />
      <Exchange log={log} entry={entry} />
      <p class="muted">
        {size > limits.dump
          ? t('{size}, of which the first {count} are shown', {
              size: bytes(size),
              count: formatCount(limits.dump),
            })
          : bytes(size)}
      </p>
      <pre class="packet-dump">{maskedDump(packet, limits.dump, 8)}</pre>
      <Copy
        key={entry.number}
        texts={[[t('Copy as JSON'), () => JSON.stringify(recordOf(entry), null, 2)]]}
      />
    </>
  );
}

export function PacketDetails({ page, session }: PartProps) {
  const { log } = session.part(packetsOf);
  return (
    <LogDetails log={log} page={page} label={t('Packet details')} titleOf={titleOf}>
      {(entry) => <Body log={log} entry={entry} />}
    </LogDetails>
  );
}
