import { lost, type Open } from './contestant';

/** The part of MQTT.js 5.16 used here (its single-file browser build). */
interface MqttJs {
  connect(url: string, options: { protocolVersion: 5; reconnectPeriod: 0 }): MqttJsClient;
}

interface MqttJsClient {
  on(event: 'message', listener: (topic: string, payload: Uint8Array) => void): void;
  on(event: 'connect' | 'close', listener: () => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
  subscribeAsync(filter: string, options: { qos: number }): Promise<unknown>;
  publish(topic: string, payload: string, options: { qos: number }, done: (error?: Error) => void): void;
  endAsync(): Promise<void>;
}

const address = '/peers/mqtt/dist/mqtt.esm.js';

export async function loadMqttJs(): Promise<Open> {
  const library: { default: MqttJs } = await import(/* @vite-ignore */ address);
  return async ({ url }, sink) => {
    const client = library.default.connect(url, { protocolVersion: 5, reconnectPeriod: 0 });
    client.on('message', (topic, payload) => sink.message(topic, payload));
    await new Promise<void>((resolve, reject) => {
      client.on('connect', resolve);
      client.on('error', reject);
    });
    let closing = false;
    client.on('close', () => {
      if (!closing) lost('MQTT.js says no more than that');
    });
    return {
      async subscribe(filter, qos) {
        await client.subscribeAsync(filter, { qos });
      },
      publish: (topic, payload, qos, done) =>
        client.publish(topic, payload, { qos }, (error) => {
          if (error) lost(error);
          else done();
        }),
      close() {
        closing = true;
        return client.endAsync();
      },
    };
  };
}
