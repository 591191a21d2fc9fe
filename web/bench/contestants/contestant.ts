export type QoS = 0 | 1 | 2;

/** Where a contestant puts what it receives. */
export interface Sink {
  message(topic: string, payload: Uint8Array): void;
  /** From a bare WebSocket, which counts messages instead of taking them apart. */
  frame(data: ArrayBuffer, messages: number, ended: boolean): void;
}

export interface Session {
  subscribe(filter: string, qos: QoS): Promise<void>;
  /** Calls `done` when the client says that the message is out, or acknowledged. */
  publish(topic: string, payload: string, qos: QoS, done: () => void): void;
  close(): Promise<void>;
}

export interface OpenOptions {
  url: string;
  /** Whether a bare WebSocket must give each message to `sink.message`, as the others always do. */
  payloads: boolean;
  /** Where a client's own default is to be changed. */
  receiveMaximum?: number;
}

/** Connects; resolves when the server has accepted. */
export type Open = (options: OpenOptions, sink: Sink) => Promise<Session>;

/** Ends a flood; the payload says how many messages went before it. */
export const endTopic = 'bench/end';

/** Tells that a connection ended by itself, which fails what is measured. */
export function lost(why: unknown): void {
  dispatchEvent(new CustomEvent('lost', { detail: String(why) }));
}
