import mqttwasm, { type Client, connect, type Message, MqttError } from 'mqttwasm';
import { jwt, sigV4, tokenFrom } from 'mqttwasm/brokers';
import mqtt, { type IClientOptions, type MqttClient } from 'mqttwasm/compat';
import { type MqttElements, texts } from 'mqttwasm/elements';

export async function use(url: string): Promise<void> {
  const client: Client = await connect(url, { clientId: 'a', properties: { receiveMaximum: 10 } });
  const subscription = await client.subscribe('a/+', { qos: 1 });
  client.on('close', (error) => console.log(error instanceof MqttError && error.code));
  for await (const message of subscription) show(message);
  await client.end();
  await mqttwasm.connect({ host: 'localhost', protocol: 'ws' });
  await connect(url, { workerUrl: new URL('mqttwasm/worker', import.meta.url), wasmUrl: '/mqttwasm.wasm' });
}

export async function useBrokers(url: string): Promise<void> {
  const credentials = async () => ({ accessKeyId: 'a', secretAccessKey: 'b' });
  await connect(sigV4({ url, clientId: 'a' }, { region: 'eu-west-1', credentials }));
  const { options, renew } = jwt({ url }, { token: tokenFrom('/token') });
  renew(await connect(options), (error) => console.log(error.code));
}

export function useCompat(url: string): MqttClient {
  const options: IClientOptions = { clean: false, will: { topic: 'gone', payload: 'a' } };
  const client = mqtt.connect(url, options);
  client.subscribe({ 'a/b': { qos: 1 } }, (error, granted) => console.log(error?.code, granted?.[0]?.qos));
  client.publish('a/b', new Uint8Array([1]), { qos: 2 }, (error) => console.log(error?.reasonCode));
  return client.on('message', (topic, payload, packet) => console.log(topic, payload.toString(), packet.qos));
}

export function useElements(client: Client): MqttElements['mqtt-value'] {
  texts.stale = 'veraltet';
  const connection = document.createElement('mqtt-connection');
  connection.client = client;
  connection.addEventListener('mqtt-error', ({ detail }) => console.log(detail.code, detail.field));
  const value = document.createElement('mqtt-value');
  value.digits = 1;
  // @ts-expect-error: topic must be a string
  value.topic = 1;
  value.addEventListener('mqtt-change', ({ detail }) => console.log(detail.value, detail.topic));
  document
    .querySelector('mqtt-publish')
    ?.publish('ON')
    .then(({ reasonCode }) => console.log(reasonCode));
  return value;
}

function show(message: Message): void {
  // @ts-expect-error: payload is a Uint8Array
  const text: string = message.payload;
  console.log(text, message.text());
}
