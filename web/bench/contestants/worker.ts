/** A worker around another client, as an application would write it: one postMessage per MQTT message. */

import { openBare } from './bare';
import type { Session, Sink } from './contestant';
import { loadMqttJs } from './mqttjs';
import type { FromWorker, ToWorker } from './worker-messages';

const post = (message: FromWorker, transfer: Transferable[] = []): void => postMessage(message, { transfer });

const sink: Sink = {
  message(topic, payload) {
    // The payload is a view of a frame; posting it would copy the whole frame.
    const own = new Uint8Array(payload);
    post({ type: 'message', topic, payload: own }, [own.buffer]);
  },
  frame: (data, messages, ended) => post({ type: 'frame', data, messages, ended }, [data]),
};

let session: Session | undefined;

async function perform(message: Exclude<ToWorker, { type: 'publish' }>): Promise<void> {
  switch (message.type) {
    case 'open': {
      const open = message.library === 'bare' ? openBare : await loadMqttJs();
      session = await open(message.options, sink);
      return;
    }
    case 'subscribe':
      return session?.subscribe(message.filter, message.qos);
    case 'close':
      return session?.close();
  }
}

addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  if (data.type === 'publish') {
    session?.publish(data.topic, data.payload, data.qos, () => post({ type: 'published', id: data.id }));
    return;
  }
  perform(data).then(
    () => post({ type: 'done' }),
    (error) => post({ type: 'failed', error: String(error) }),
  );
});
addEventListener('lost', (event) => post({ type: 'lost', why: (event as CustomEvent<string>).detail }));
post({ type: 'ready' });
