import { lost, type Open } from './contestant';

/** The part of Eclipse Paho's JavaScript client 1.1 (MQTT 3.1.1) used here. */
interface Paho {
  Client: new (url: string, clientId: string) => PahoClient;
  Message: new (payload: string) => PahoMessage;
}

interface PahoMessage {
  destinationName: string;
  qos: number;
  readonly payloadBytes: Uint8Array;
}

interface PahoClient {
  onMessageArrived?: (message: PahoMessage) => void;
  onMessageDelivered?: (message: PahoMessage) => void;
  onConnectionLost?: (response: { errorMessage: string }) => void;
  connect(options: { onSuccess: () => void; onFailure: (error: { errorMessage: string }) => void }): void;
  subscribe(filter: string, options: { qos: number; onSuccess: () => void }): void;
  send(message: PahoMessage): void;
  disconnect(): void;
}

const address = '/peers/paho-mqtt/paho-mqtt-min.js';

export async function loadPaho(): Promise<Open> {
  await new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = address;
    script.onload = resolve;
    script.onerror = reject;
    document.head.append(script);
  });
  const library = (window as unknown as { Paho: Paho }).Paho;
  return async ({ url }, sink) => {
    const client = new library.Client(url, `paho${Math.random().toString(16).slice(2)}`);
    const sent = new Map<PahoMessage, () => void>();
    client.onMessageArrived = (message) => sink.message(message.destinationName, message.payloadBytes);
    client.onConnectionLost = ({ errorMessage }) => lost(errorMessage);
    client.onMessageDelivered = (message) => {
      const done = sent.get(message);
      sent.delete(message);
      done?.();
    };
    await new Promise<void>((resolve, reject) => {
      client.connect({
        onSuccess: resolve,
        onFailure: ({ errorMessage }) => reject(new Error(errorMessage)),
      });
    });
    return {
      subscribe: (filter, qos) =>
        new Promise((resolve) => client.subscribe(filter, { qos, onSuccess: () => resolve() })),
      publish(topic, payload, qos, done) {
        const message = new library.Message(payload);
        message.destinationName = topic;
        message.qos = qos;
        sent.set(message, done);
        client.send(message);
      },
      close: () =>
        new Promise((resolve) => {
          client.onConnectionLost = () => resolve();
          client.disconnect();
        }),
    };
  };
}
