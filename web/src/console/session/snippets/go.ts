import { literal, type Plan, pairs, wellFormed } from './plan';

/** Go strings can't have half of a surrogate pair. */
const text = (value: string): string => literal(wellFormed(value));

const users = (given: Parameters<typeof pairs>[0]): string =>
  pairs(given)
    .map(([name, value]) => `{Key: ${text(name)}, Value: ${text(value)}}`)
    .join(', ');

const kinds: Record<string, (value: unknown) => string> = {
  text: (value) => text(String(value)),
  bytes: (value) =>
    `[]byte(${text(typeof value === 'string' ? value : new TextDecoder().decode(value as Uint8Array))})`,
  byte: (value) => `paho.Byte(${Number(value)})`,
  u16: (value) => `paho.Uint16(${Number(value)})`,
  u32: (value) => `paho.Uint32(${Number(value)})`,
  bool: (value) => String(value === true),
};

type Names = Record<string, [theirs: string, kind: keyof typeof kinds]>;

const messageNames: Names = {
  payloadFormatIndicator: ['PayloadFormat', 'byte'],
  messageExpiryInterval: ['MessageExpiry', 'u32'],
  contentType: ['ContentType', 'text'],
  responseTopic: ['ResponseTopic', 'text'],
  correlationData: ['CorrelationData', 'bytes'],
};

const connectNames: Names = {
  receiveMaximum: ['ReceiveMaximum', 'u16'],
  maximumPacketSize: ['MaximumPacketSize', 'u32'],
  topicAliasMaximum: ['TopicAliasMaximum', 'u16'],
  requestResponseInformation: ['RequestResponseInfo', 'bool'],
  requestProblemInformation: ['RequestProblemInfo', 'bool'],
  authenticationMethod: ['AuthMethod', 'text'],
  authenticationData: ['AuthData', 'bytes'],
};

function fields(given: object | undefined, names: Names): [name: string, value: string][] {
  const all: Record<string, unknown> = { ...given };
  const lines = Object.entries(names).flatMap(([name, [theirs, kind]]): [string, string][] => {
    const write = kinds[kind];
    return all[name] === undefined || !write ? [] : [[theirs, write(all[name])]];
  });
  const pairsOfIt = users(all);
  if (pairsOfIt) lines.push(['User', `paho.UserProperties{${pairsOfIt}}`]);
  return lines;
}

const struct = (indent: string, lines: [string, string][]): string =>
  lines.map(([name, value]) => `${indent}${name}: ${value},\n`).join('');

function config({ connect, username, password }: Plan): string {
  const { will, keepalive, clean, clientId } = connect;
  const lines: [string, string][] = [
    ['ServerUrls', '[]*url.URL{broker}'],
    ['KeepAlive', String(Number.isFinite(keepalive) ? keepalive : 60)],
    ['CleanStartOnInitialConnection', String(clean === true)],
    ['SessionExpiryInterval', String(connect.properties?.sessionExpiryInterval ?? 0)],
  ];
  if (username) lines.push(['ConnectUsername', text(username)]);
  if (password) lines.push(['ConnectPassword', `[]byte(${text(password)})`]);
  if (will) {
    const { topic, payload = '', qos = 0, retain = false } = will;
    lines.push([
      'WillMessage',
      `&paho.WillMessage{Topic: ${text(topic)}, Payload: []byte(${text(String(payload))}), QoS: ${qos}, Retain: ${retain}}`,
    ]);
    const more = fields(will.properties, {
      ...messageNames,
      willDelayInterval: ['WillDelayInterval', 'u32'],
    });
    if (more.length > 0)
      lines.push(['WillProperties', `&paho.WillProperties{\n${struct('\t\t\t', more)}\t\t}`]);
  }
  const asked = fields(connect.properties, connectNames);
  if (asked.length > 0) {
    const set = asked.map(([name, value]) => `\t\t\tpacket.Properties.${name} = ${value}\n`).join('');
    lines.push([
      'ConnectPacketBuilder',
      `func(packet *paho.Connect, _ *url.URL) (*paho.Connect, error) {\n\t\t\tif packet.Properties == nil {\n\t\t\t\tpacket.Properties = &paho.ConnectProperties{}\n\t\t\t}\n${set}\t\t\treturn packet, nil\n\t\t}`,
    ]);
  }
  if (clientId) lines.push(['ClientConfig', `paho.ClientConfig{ClientID: ${text(clientId)}}`]);
  return struct('\t\t', lines);
}

/** For paho.golang's autopaho. */
export function go(plan: Plan): string {
  const { body } = plan;
  const content =
    'text' in body
      ? `payload := []byte(${text(body.text)})`
      : `payload, err := ${'file' in body ? `os.ReadFile(${text(body.file)})` : `base64.StdEncoding.DecodeString(${text(body.base64)})`}\n\tif err != nil {\n\t\tlog.Fatal(err)\n\t}`;
  const extra = 'file' in body ? '\t"os"\n' : '';
  const encoding = 'base64' in body ? '\t"encoding/base64"\n' : '';
  const properties = fields(plan.properties, { ...messageNames, topicAlias: ['TopicAlias', 'u16'] });
  // One call each, since a packet has one Subscription Identifier.
  const subscribe = plan.subscriptions
    .map(({ filter, qos, nl, rap, rh, identifier }, n) => {
      const flags = `${nl ? ', NoLocal: true' : ''}${rap ? ', RetainAsPublished: true' : ''}${rh ? `, RetainHandling: ${rh}` : ''}`;
      const [declared, id] =
        identifier === undefined
          ? ['', '']
          : [
              `\tid${n} := ${identifier}\n`,
              `\t\tProperties: &paho.SubscribeProperties{SubscriptionIdentifier: &id${n}},\n`,
            ];
      return `${declared}\tif _, err := manager.Subscribe(ctx, &paho.Subscribe{\n\t\tSubscriptions: []paho.SubscribeOptions{{Topic: ${text(filter)}, QoS: ${qos}${flags}}},\n${id}\t}); err != nil {\n\t\tlog.Fatal(err)\n\t}\n`;
    })
    .join('');
  return `package main

import (
	"context"
${encoding}	"log"
	"net/url"
${extra}
	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"
)

func main() {
	ctx := context.Background()
	broker, err := url.Parse(${text(plan.url)})
	if err != nil {
		log.Fatal(err)
	}
	manager, err := autopaho.NewConnection(ctx, autopaho.ClientConfig{
${config(plan)}	})
	if err != nil {
		log.Fatal(err)
	}
	manager.AddOnPublishReceived(func(received autopaho.PublishReceived) (bool, error) {
		log.Printf("%s %s", received.Packet.Topic, received.Packet.Payload)
		return true, nil
	})
	if err := manager.AwaitConnection(ctx); err != nil {
		log.Fatal(err)
	}
${subscribe}	${content}
	_, err = manager.Publish(ctx, &paho.Publish{
		Topic: ${text(plan.topic)},
		Payload: payload,
		QoS: ${plan.qos},
		Retain: ${plan.retain},
		Properties: &paho.PublishProperties{
${struct('\t\t\t', properties)}		},
	})
	if err != nil {
		log.Fatal(err)
	}
	<-manager.Done()
}
`;
}
