import type { ConnackInfo } from '../../../client';
import { limits } from '../../core/limits';
import { brief, formatBytes, formatCount } from '../../core/text';
import type { Session } from '../../session/session';
import { Facts, toFacts } from '../../ui/facts';
import { RoundTrips } from './round-trips';
import './session.css';
import { t } from '../../core/i18n/i18n';

/** What the broker said it can't do, and what that means here. */
function Lacks({ properties: p }: { properties: ConnackInfo['properties'] }) {
  const lacks = [
    p.maximumQoS === 1 &&
      t(
        'No QoS 2: such messages are refused here before they are sent. A subscription that asks for QoS 2 gets QoS 1; from AWS IoT it gets no answer.',
      ),
    p.maximumQoS === 0 &&
      t(
        'QoS 0 only: subscriptions that ask for more get 0, and other messages are refused before they are sent.',
      ),
    !p.retainAvailable && t('No retained messages: messages with Retain are refused before they are sent.'),
    !p.wildcardSubscriptionAvailable && t('No topic filters with + or #.'),
    !p.sharedSubscriptionAvailable && t('No shared subscriptions ($share/…).'),
    !p.subscriptionIdentifiersAvailable &&
      t('No subscription identifiers: the subscription that a message matches is worked out from its topic.'),
  ].filter(Boolean);
  if (lacks.length === 0) return null;
  return (
    <ul class="session-lacks stack tight above fine" aria-label={t('What the broker does not offer')}>
      {lacks.map((words) => (
        <li key={words}>{words}</li>
      ))}
    </ul>
  );
}

/** What the broker granted in its CONNACK (3.2.2.3), and the identifier in use. */
export function SessionFacts({ session: { connection, latency } }: { session: Session }) {
  const connack = connection.granted.value;
  if (!connack)
    return (
      <p class="empty-line">
        {t('Not connected. What the broker grants is shown here once there is a connection.')}
      </p>
    );
  const { properties: p, clientId, sessionPresent } = connack;
  const yes = (available: boolean) => (available ? t('available') : t('not available'));
  const seconds = (count: number) => (count === 0xffff_ffff ? t('never') : t('{count} s', { count }));
  const pairs = p.userProperties ?? [];
  const more = pairs.length - limits.properties;
  const facts: [name: string, value: string | undefined | false][] = [
    [t('Client ID'), clientId],
    [t('Session'), sessionPresent ? t('continued') : t('new')],
    [t('Session expires after'), seconds(p.sessionExpiryInterval)],
    [t('Keep alive'), p.serverKeepAlive === 0 ? t('off') : t('{count} s', { count: p.serverKeepAlive })],
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
    ...pairs.slice(0, limits.properties).map(([name, value]): [string, string] => {
      return [t('User property {name}', { name: brief(name, limits.name) }), value];
    }),
    [t('Not shown'), more > 0 && t('… and {count} more', { count: more })],
  ];
  return (
    <>
      <Facts
        look="cells"
        class="session-facts"
        label={t('What the broker granted')}
        scrolls
        facts={toFacts(facts.map(([name, value]) => [name, value && brief(value, limits.notice)]))}
      />
      <Lacks properties={p} />
      <RoundTrips latency={latency} />
    </>
  );
}
