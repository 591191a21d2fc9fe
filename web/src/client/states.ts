import type { ClientState } from './types';

/** What happens to a client, as far as its state is concerned. */
export type Change =
  /** CONNACK accepts the connection. */
  | 'connect'
  /** The connection ended, and another attempt will be made. */
  | 'lose'
  /** The connection ended, and no other will be made as things are. */
  | 'close'
  /** An attempt starts, now or after its back-off. */
  | 'retry'
  /** The page is about to stand still. */
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

/** What is not in the table changes nothing: a connection that is suspended closes first. */
export const changed = (state: ClientState, change: Change): ClientState => changes[state][change] ?? state;
