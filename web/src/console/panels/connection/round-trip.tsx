import { useEffect } from 'preact/hooks';
import { t } from '../../core/i18n/i18n';
import type { Connection } from '../../session/connection';
import { follow, formatRoundTrip, roundTripsOf } from '../../session/latency';

/** How long the broker takes to answer. Beside the status and not in it, which is read out at each change. */
export function RoundTrip({ connection }: { connection: Connection }) {
  const client = connection.client.value;
  const connected = connection.status.value.phase === 'connected';
  useEffect(() => (client && connected ? follow(client) : undefined), [client, connected]);
  const list = client && connected ? roundTripsOf(client).value : [];
  if (list.length === 0) return null;
  const last = list.at(-1);
  return (
    <span
      class="round-trip"
      title={t('Round-trip time: from PINGREQ to the broker’s PINGRESP, every 5 seconds')}
    >
      <span class="visually-hidden">{t('Round-trip time')} </span>
      {last === undefined ? t('no answer') : formatRoundTrip(last)}
    </span>
  );
}
