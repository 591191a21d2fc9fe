import { connectFields, hostOf, literal, messageFields, type Plan, pairs } from './plan';

const bool = (value: unknown): string => (value ? 'True' : 'False');
const bytes = (value: string): string => `${literal(value)}.encode()`;

function properties(
  variable: string,
  packet: string,
  given: Record<string, unknown> | undefined,
  names: readonly string[],
): string {
  const lines = names.flatMap((name) => {
    const value = given?.[name];
    if (value === undefined) return [];
    const text =
      name === 'correlationData' || name === 'authenticationData'
        ? bytes(typeof value === 'string' ? value : new TextDecoder().decode(value as Uint8Array))
        : typeof value === 'string'
          ? literal(value)
          : String(Number(value));
    return [`${variable}.${name.charAt(0).toUpperCase()}${name.slice(1)} = ${text}\n`];
  });
  const users = pairs(given).map(([name, value]) => `(${literal(name)}, ${literal(value)})`);
  if (users.length > 0) lines.push(`${variable}.UserProperty = [${users.join(', ')}]\n`);
  return `${variable} = Properties(PacketTypes.${packet})\n${lines.join('')}`;
}

/** For paho-mqtt 2. */
export function python(plan: Plan): string {
  const { connect, body, username, password } = plan;
  const { port, protocol } = new URL(plan.url);
  // Placeholders in the query stay as they are.
  const path = plan.url.replace(/^\w+:\/\/[^/]*/, '');
  const secure = protocol === 'wss:';
  const payload =
    'text' in body
      ? literal(body.text)
      : 'file' in body
        ? `open(${literal(body.file)}, "rb").read()`
        : `base64.b64decode(${literal(body.base64)})`;
  const credentials =
    username || password
      ? `client.username_pw_set(${literal(username ?? '')}, ${literal(password ?? '')})\n`
      : '';
  const { will } = connect;
  const lastWill = will
    ? `${properties('will', 'WILLMESSAGE', { ...will.properties }, messageFields)}client.will_set(${literal(will.topic)}, ${literal(String(will.payload ?? ''))}, qos=${will.qos ?? 0}, retain=${bool(will.retain)}, properties=will)\n`
    : '';
  const subscribe = plan.subscriptions
    .map(({ filter, qos, nl, rap, rh = 0, identifier }) => {
      const properties =
        identifier === undefined
          ? ''
          : `    subscribed = Properties(PacketTypes.SUBSCRIBE)\n    subscribed.SubscriptionIdentifier = ${identifier}\n`;
      const options =
        nl || rap || rh
          ? `options=SubscribeOptions(qos=${qos}, noLocal=${bool(nl)}, retainAsPublished=${bool(rap)}, retainHandling=${rh})`
          : `qos=${qos}`;
      return `${properties}    client.subscribe(${literal(filter)}, ${options}${properties && ', properties=subscribed'})\n`;
    })
    .join('');
  const withOptions = subscribe.includes('options=SubscribeOptions(');
  const keepalive = Number.isFinite(connect.keepalive) ? connect.keepalive : 60;
  return `${'base64' in body ? 'import base64\n\n' : ''}import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
${withOptions ? 'from paho.mqtt.subscribeoptions import SubscribeOptions\n' : ''}

def on_connect(client, userdata, flags, reason_code, properties):
    print("connected:", reason_code)
${subscribe}

def on_message(client, userdata, message):
    print(message.topic, message.payload)


client = mqtt.Client(
    mqtt.CallbackAPIVersion.VERSION2,
    client_id=${literal(connect.clientId ?? '')},
    protocol=mqtt.MQTTv5,
    transport="websockets",
)
client.ws_set_options(path=${literal(path)})
${secure ? 'client.tls_set()\n' : ''}${credentials}${lastWill}client.on_connect = on_connect
client.on_message = on_message

${properties('options', 'CONNECT', { ...connect.properties }, connectFields)}client.connect(${literal(hostOf(plan))}, ${port || (secure ? 443 : 80)}, keepalive=${keepalive}, clean_start=${bool(connect.clean)}, properties=options)
client.loop_start()

${properties('properties', 'PUBLISH', { ...plan.properties }, messageFields)}message = client.publish(${literal(plan.topic)}, ${payload}, qos=${plan.qos}, retain=${bool(plan.retain)}, properties=properties)
message.wait_for_publish()
input("Enter ends.\\n")
`;
}
