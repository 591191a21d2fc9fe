import { once } from 'node:events';
import WebSocket from 'ws';

/**
 * A Chrome DevTools Protocol connection. Playwright's own makes the browser report every WebSocket frame,
 * which costs more time than what is measured here.
 */
export interface Cdp {
  send<T = unknown>(method: string, parameters?: object, sessionId?: string): Promise<T>;
  /** Calls the listener with an event's parameters; `sessionId` identifies the page. */
  on(method: string, listener: (parameters: unknown, sessionId?: string) => void): void;
  close(): void;
}

interface Incoming {
  id?: number;
  method?: string;
  params?: unknown;
  sessionId?: string;
  result?: unknown;
  error?: { message: string };
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export async function connectCdp(url: string): Promise<Cdp> {
  const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: 1 << 30 });
  await once(socket, 'open');
  const pending = new Map<number, Pending>();
  const listeners = new Map<string, ((parameters: unknown, sessionId?: string) => void)[]>();
  let lastId = 0;
  socket.on('message', (data) => {
    const { id, method, params, sessionId, result, error } = JSON.parse(String(data)) as Incoming;
    if (method) for (const listener of listeners.get(method) ?? []) listener(params, sessionId);
    if (id === undefined) return;
    if (error) pending.get(id)?.reject(new Error(error.message));
    else pending.get(id)?.resolve(result);
    pending.delete(id);
  });
  socket.on('close', () => {
    for (const { reject } of pending.values()) reject(new Error('the browser has gone'));
    pending.clear();
  });
  return {
    send: <T>(method: string, parameters = {}, sessionId?: string) =>
      new Promise<T>((resolve, reject) => {
        const id = ++lastId;
        pending.set(id, { resolve: (value) => resolve(value as T), reject });
        socket.send(JSON.stringify({ id, method, params: parameters, ...(sessionId && { sessionId }) }));
      }),
    on(method, listener) {
      listeners.set(method, [...(listeners.get(method) ?? []), listener]);
    },
    close: () => socket.close(),
  };
}
