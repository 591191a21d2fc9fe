import type { QoS, Session } from '../contestants/contestant';

/** Maximum publishes outstanding; more would only queue up. */
const outstandingLimit = 1000;

/** Publishes between two checks of the clock. */
const chunk = 100;

export interface PumpOptions {
  topic: string;
  payload: string;
  qos: QoS;
  /** How long to publish; unlimited by default. */
  milliseconds?: number;
  /** How many to publish; unlimited by default. */
  count?: number;
}

/** Publishes as fast as the client accepts messages. Resolves with their number when all are done. */
export function pump(session: Session, options: PumpOptions): Promise<number> {
  const {
    topic,
    payload,
    qos,
    milliseconds = Number.POSITIVE_INFINITY,
    count = Number.POSITIVE_INFINITY,
  } = options;
  const until = performance.now() + milliseconds;
  let sent = 0;
  let done = 0;
  let scheduled = false;
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();

    const isDone = (): void => {
      done++;
      if (!scheduled) schedule();
    };

    // A separate task, so that the client's own tasks get their turn.
    function schedule(): void {
      scheduled = true;
      port2.postMessage(null);
    }

    port1.onmessage = () => {
      scheduled = false;
      const over = sent >= count || performance.now() >= until;
      if (over && done === sent) {
        port1.close();
        resolve(sent);
      }
      if (over) return;
      const room = Math.min(chunk, count - sent, outstandingLimit - (sent - done));
      for (let n = 0; n < room; n++) {
        sent++;
        session.publish(topic, payload, qos, isDone);
      }
      if (!scheduled && sent - done < outstandingLimit) schedule();
    };
    schedule();
  });
}
