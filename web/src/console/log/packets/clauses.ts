/** Where the specification describes the properties of each packet. */

import type { PacketName } from '../../../client/packet';

type Owner = PacketName | 'will';

/** The clause under which the properties stand, and their names from number 2 on: 1 is their length. */
const described = Object.fromEntries(
  `connect 3.1.2.11 sessionExpiryInterval receiveMaximum maximumPacketSize topicAliasMaximum
    requestResponseInformation requestProblemInformation userProperties authenticationMethod authenticationData,
  will 3.1.3.2 willDelayInterval payloadFormatIndicator messageExpiryInterval contentType responseTopic
    correlationData userProperties,
  connack 3.2.2.3 sessionExpiryInterval receiveMaximum maximumQoS retainAvailable maximumPacketSize
    assignedClientIdentifier topicAliasMaximum reasonString userProperties wildcardSubscriptionAvailable
    subscriptionIdentifiersAvailable sharedSubscriptionAvailable serverKeepAlive responseInformation
    serverReference authenticationMethod authenticationData,
  publish 3.3.2.3 payloadFormatIndicator messageExpiryInterval topicAlias responseTopic correlationData
    userProperties subscriptionIdentifier contentType,
  puback 3.4.2.2 reasonString userProperties,
  pubrec 3.5.2.2 reasonString userProperties,
  pubrel 3.6.2.2 reasonString userProperties,
  pubcomp 3.7.2.2 reasonString userProperties,
  subscribe 3.8.2.1 subscriptionIdentifier userProperties,
  suback 3.9.2.1 reasonString userProperties,
  unsubscribe 3.10.2.1 userProperties,
  unsuback 3.11.2.1 reasonString userProperties,
  disconnect 3.14.2.2 sessionExpiryInterval reasonString userProperties serverReference,
  auth 3.15.2.2 authenticationMethod authenticationData reasonString userProperties`
    .split(/,\s+/)
    .map((line) => line.split(/\s+/))
    .map(([owner, ...rest]) => [owner, rest]),
) as Partial<Record<Owner, string[]>>;

/** Of the reason code that stands before the properties. */
export function reasonClauseOf(owner: Owner): string | undefined {
  return described[owner]?.[0]?.replace(/2$/, '1');
}

/** Such as `3.1.2.11.2`; empty where the specification knows no such property of this packet. */
export function clauseOf(owner: Owner, property: string): string {
  const [clause, ...names] = described[owner] ?? [];
  const at = names.indexOf(property);
  return at < 0 ? '' : `${clause}.${at + 2}`;
}

/** `sessionExpiryInterval` as the specification writes it. */
export function titleOf(property: string): string {
  if (property === 'maximumQoS') return 'Maximum QoS';
  if (property === 'userProperties') return 'User Property';
  const words = property.replace(/[A-Z]/g, ' $&');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
