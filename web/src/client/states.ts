import type { ClientState } from './types';

/** What can change a client's state. */
export type Change =
  /** CONNACK accepts the connection. */
  | 'connect'
  /** The connection ended, and another attempt will be made. */
  | 'lose'
  /** The connection ended, and no other attempt will be made. */
  | 'close'
  /** An attempt starts, now or after its back-off. */
  | 'retry'
  /** The page is about to be frozen. */
  | 'suspend'
  /** The page is back. */
  | 'resume'
  | 'end';

const changes: Record<ClientState, Partial<Record<Change, ClientState>>> = {
  connecting: {
    connect: 'connected',
    retry: 'reconnecting',
    suspend: 'disconnected',
    end: 'disconnected',
  },
  connected: {
    lose: 'reconnecting',
    close: 'disconnected',
    retry: 'reconnecting',
    end: 'disconnected',
  },
  reconnecting: {
    connect: 'connected',
    close: 'disconnected',
    suspend: 'disconnected',
    end: 'disconnected',
  },
  disconnected: {
    connect: 'connected',
    lose: 'reconnecting',
    retry: 'reconnecting',
    resume: 'reconnecting',
  },
};

/** What is not in the table changes nothing, such as the close that follows suspending. */
export const changed = (state: ClientState, change: Change): ClientState => changes[state][change] ?? state;
