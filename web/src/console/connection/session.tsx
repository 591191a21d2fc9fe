import { formatBytes, formatCount, visible } from '../text';
import { RoundTrips } from './round-trips';
import type { Connection } from './store';
import './session.css';
import { t } from '../language/language';

const longest = 300;

/** What the broker granted in its CONNACK (3.2.2.3), and the identifier in use. */
export function SessionFacts({ connection }: { connection: Connection }) {
  const connack = connection.granted.value;
  if (!connack)
    return <p class="empty-line">{t('Not connected, so nothing is granted. It is told here once it is.')}</p>;
  const { properties: p, clientId, sessionPresent } = connack;
  const yes = (available: boolean) => (available ? 'available' : 'not available');
  const seconds = (count: number) => (count === 0xffff_ffff ? 'never' : `${formatCount(count)} s`);
  const facts: [name: string, value: string | undefined][] = [
    ['Client ID', clientId + (p.assignedClientIdentifier === undefined ? '' : ' (assigned by the broker)')],
    ['Session', sessionPresent ? 'continued' : 'new'],
    ['Session expires after', seconds(p.sessionExpiryInterval)],
    ['Keep alive', p.serverKeepAlive === 0 ? 'off' : `${formatCount(p.serverKeepAlive)} s`],
    ['Maximum QoS', String(p.maximumQoS)],
    ['Maximum packet size', p.maximumPacketSize === 0 ? 'no limit stated' : formatBytes(p.maximumPacketSize)],
    ['Receive maximum', formatCount(p.receiveMaximum)],
    ['Topic alias maximum', formatCount(p.topicAliasMaximum)],
    ['Retained messages', yes(p.retainAvailable)],
    ['Wildcard subscriptions', yes(p.wildcardSubscriptionAvailable)],
    ['Subscription identifiers', yes(p.subscriptionIdentifiersAvailable)],
    ['Shared subscriptions', yes(p.sharedSubscriptionAvailable)],
    ['Reason', p.reasonString],
    ['Response information', p.responseInformation],
    ['Server reference', p.serverReference],
    ['Authentication method', p.authenticationMethod],
    ...(p.userProperties ?? []).map(([name, value]): [string, string] => [`User property ${name}`, value]),
  ];
  return (
    <>
      <dl class="session-facts" aria-label={t('What the broker granted')}>
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
      <RoundTrips connection={connection} />
    </>
  );
}
