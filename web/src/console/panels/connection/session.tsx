import { formatBytes, formatCount, visible } from '../../core/text';
import type { Session } from '../../session/session';
import { RoundTrips } from './round-trips';
import './session.css';
import { t } from '../../core/i18n/i18n';

const longest = 300;

/** What the broker granted in its CONNACK (3.2.2.3), and the identifier in use. */
export function SessionFacts({ session: { connection, latency } }: { session: Session }) {
  const connack = connection.granted.value;
  if (!connack)
    return <p class="empty-line">{t('Not connected, so nothing is granted. It is told here once it is.')}</p>;
  const { properties: p, clientId, sessionPresent } = connack;
  const yes = (available: boolean) => (available ? t('available') : t('not available'));
  const seconds = (count: number) =>
    count === 0xffff_ffff ? t('never') : t('{count} s', { count: formatCount(count) });
  const facts: [name: string, value: string | undefined][] = [
    [
      t('Client ID'),
      p.assignedClientIdentifier === undefined
        ? clientId
        : t('{clientId} (assigned by the broker)', { clientId }),
    ],
    [t('Session'), sessionPresent ? t('continued') : t('new')],
    [t('Session expires after'), seconds(p.sessionExpiryInterval)],
    [
      t('Keep alive'),
      p.serverKeepAlive === 0 ? t('off') : t('{count} s', { count: formatCount(p.serverKeepAlive) }),
    ],
    [t('Maximum QoS'), String(p.maximumQoS)],
    [
      t('Maximum packet size'),
      p.maximumPacketSize === 0 ? t('no limit stated') : formatBytes(p.maximumPacketSize),
    ],
    [t('Receive maximum'), formatCount(p.receiveMaximum)],
    [t('Topic alias maximum'), formatCount(p.topicAliasMaximum)],
    [t('Retained messages'), yes(p.retainAvailable)],
    [t('Wildcard subscriptions'), yes(p.wildcardSubscriptionAvailable)],
    [t('Subscription identifiers'), yes(p.subscriptionIdentifiersAvailable)],
    [t('Shared subscriptions'), yes(p.sharedSubscriptionAvailable)],
    [t('Reason'), p.reasonString],
    [t('Response information'), p.responseInformation],
    [t('Server reference'), p.serverReference],
    [t('Authentication method'), p.authenticationMethod],
    ...(p.userProperties ?? []).map(([name, value]): [string, string] => [
      t('User property {name}', { name }),
      value,
    ]),
  ];
  return (
    <>
      <dl class="session-facts" aria-label={t('What the broker granted')} tabIndex={0}>
        {facts.map(
          ([name, value]) =>
            value !== undefined && (
              <div class="session-fact">
                <dt>{visible(name.slice(0, longest))}</dt>
                <dd>
                  <bdi>{visible(value.slice(0, longest))}</bdi>
                </dd>
              </div>
            ),
        )}
      </dl>
      <RoundTrips latency={latency} />
    </>
  );
}
