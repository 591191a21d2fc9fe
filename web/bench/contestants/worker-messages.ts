import type { OpenOptions, QoS } from './contestant';

/** Messages from the page to a contestant in a worker. */
export type ToWorker =
  | { type: 'open'; library: 'bare' | 'mqttjs'; options: OpenOptions }
  | { type: 'subscribe'; filter: string; qos: QoS }
  | { type: 'publish'; topic: string; payload: string; qos: QoS; id: number }
  | { type: 'close' };

export type FromWorker =
  | { type: 'ready' | 'done' }
  | { type: 'failed'; error: string }
  | { type: 'lost'; why: string }
  | { type: 'published'; id: number }
  | { type: 'message'; topic: string; payload: Uint8Array }
  | { type: 'frame'; data: ArrayBuffer; messages: number; ended: boolean };
