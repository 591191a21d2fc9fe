import { useEffect } from 'preact/hooks';
import { t } from '../../core/i18n/i18n';
import { formatRoundTrip } from '../../session/latency';
import type { Session } from '../../session/session';

/** Milliseconds from which a round trip is noticeable. */
const slow = 400;

/** How long the broker takes to answer. Not part of the status, which is read out at each change. */
export function RoundTrip({ session }: { session: Session }) {
  const { connection, latency } = session;
  const client = connection.client.value;
  const connected = connection.status.value.phase === 'connected';
  useEffect(() => (client && connected ? latency.follow(client) : undefined), [latency, client, connected]);
  const list = client && connected ? latency.list.value : [];
  if (list.length === 0) return null;
  const last = list.at(-1);
  return (
    <span
      class={`round-trip fine clip ${last === undefined || last > slow ? 'warn bold' : ''}`}
      title={t('Round-trip time: from PINGREQ to the broker’s PINGRESP, every 5 seconds')}
    >
      <span class="visually-hidden">{t('Round-trip time')} </span>
      {last === undefined ? t('no answer') : formatRoundTrip(last)}
    </span>
  );
}
