export type QoS = 0 | 1 | 2;

/** Receives a contestant's messages. */
export interface Sink {
  message(topic: string, payload: Uint8Array): void;
  /** From a bare WebSocket, which counts messages without parsing them. */
  frame(data: ArrayBuffer, messages: number, ended: boolean): void;
}

export interface Session {
  subscribe(filter: string, qos: QoS): Promise<void>;
  /** Calls `done` when the client reports the message as sent (QoS 0) or acknowledged. */
  publish(topic: string, payload: string, qos: QoS, done: () => void): void;
  close(): Promise<void>;
}

export interface OpenOptions {
  url: string;
  /** Whether a bare WebSocket must pass each message to `sink.message`, as the others always do. */
  payloads: boolean;
  /** Overrides the client's default. */
  receiveMaximum?: number;
}

/** Connects; resolves when the server has accepted the connection. */
export type Open = (options: OpenOptions, sink: Sink) => Promise<Session>;

/** Ends a flood; the payload is the number of messages before it. */
export const endTopic = 'bench/end';

/** Reports that a connection closed unexpectedly, which fails the measurement. */
export function lost(why: unknown): void {
  dispatchEvent(new CustomEvent('lost', { detail: String(why) }));
}
