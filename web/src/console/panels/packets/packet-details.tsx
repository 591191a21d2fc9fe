import { useMemo } from 'preact/hooks';
import { bytes } from '../../core/counts';
import { language, parts, t } from '../../core/i18n/i18n';
import { limits } from '../../core/limits';
import { formatCount, formatTime } from '../../core/text';
import { detailsOf } from '../../log/packets/describe';
import { recordOf } from '../../log/packets/export';
import type { Entry } from '../../log/packets/packet-entry';
import type { PacketLog } from '../../log/packets/packet-log';
import { maskedDump } from '../../log/packets/secrets';
import { Copy } from '../../ui/copy';
import { usePanel } from '../../ui/panel';

function Exchange({ log, entry }: { log: PacketLog; entry: Entry }) {
  const { request, answer, took = 0 } = entry;
  const other = log.get(request ?? answer ?? -1);
  if (!other) return null;
  return (
    <p class="packet-exchange">
      {parts(
        request !== undefined
          ? 'Answers {packet} after {milliseconds} ms'
          : 'Answered by {packet} within {milliseconds} ms',
        {
          packet: (
            <button
              type="button"
              class="link"
              onClick={() => {
                log.open.value = other;
              }}
            >
              {t('{name}, packet {number}', {
                name: other.packet.cmd.toUpperCase(),
                number: formatCount(other.number + 1),
              })}
            </button>
          ),
          milliseconds: Math.round(took),
        },
      )}
    </p>
  );
}

export function PacketDetails({ log }: { log: PacketLog }) {
  const entry = log.open.value;
  const number = entry?.number;

  const panel = usePanel(number, close);

  function close() {
    log.open.value = undefined;
    document.querySelector<HTMLElement>(`[data-packet="${number}"]`)?.focus();
  }

  // Once, and not with each paint of the list.
  const about = useMemo(
    () => entry && { fields: detailsOf(entry.packet), json: JSON.stringify(recordOf(entry), null, 2) },
    [entry, language.value],
  );

  if (!entry || !about) return null;
  const { packet, sent } = entry;
  const size = packet.bytes.length;
  const perLine = matchMedia('(max-width: 40rem)').matches ? 8 : 16;
  return (
    <section ref={panel} class="details" aria-label={t('Packet details')} tabIndex={-1}>
      <header class="details-head">
        <h3>
          {t(sent ? '{packet} sent {time}' : '{packet} received {time}', {
            packet: packet.cmd.toUpperCase(),
            time: formatTime(packet.at),
          })}
        </h3>
        <button type="button" class="button icon" aria-label={t('Close details')} onClick={close}>
          ×
        </button>
      </header>
      <div class="details-body">
        <dl class="details-facts">
          {about.fields.map(([name, clause, value], index) => (
            <div key={index}>
              <dt>
                {name} {clause && <span class="packet-clause">({clause})</span>}
              </dt>
              <dd>
                <bdi>{value}</bdi>
              </dd>
            </div>
          ))}
        </dl>
        <Exchange log={log} entry={entry} />
        <p class="packet-size">
          {size > limits.dump
            ? t('{size}, of which the first {count} are shown', {
                size: bytes(size),
                count: formatCount(limits.dump),
              })
            : bytes(size)}
        </p>
        <pre class="packet-dump">{maskedDump(packet, limits.dump, perLine)}</pre>
        <Copy key={entry.number} label={t('Copy as JSON')} text={about.json} />
      </div>
    </section>
  );
}
