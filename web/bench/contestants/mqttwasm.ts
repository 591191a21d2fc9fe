import type * as api from '../../src/client';
import { lost, type Open } from './contestant';

const address = '/mqttwasm.js';

/** This client as a page gets it: the built library, which starts its own worker. */
export async function loadMqttwasm(listen: 'message' | 'batch'): Promise<Open> {
  const { connect }: typeof api = await import(/* @vite-ignore */ address);
  return async ({ url, receiveMaximum }, sink) => {
    const client = await connect(url, {
      reconnectPeriod: 0,
      ...(receiveMaximum && { properties: { receiveMaximum } }),
    });
    let closing = false;
    client.on('error', lost);
    client.on('close', (error) => {
      if (!closing) lost(error);
    });
    if (listen === 'message') client.on('message', (topic, payload) => sink.message(topic, payload));
    else {
      client.on('batch', (messages) => {
        for (const message of messages) sink.message(message.topic, message.payload);
      });
    }
    return {
      async subscribe(filter, qos) {
        await client.subscribe(filter, { qos });
      },
      publish(topic, payload, qos, done) {
        client.publish(topic, payload, { qos }).then(done, lost);
      },
      close() {
        closing = true;
        return client.end();
      },
    };
  };
}
