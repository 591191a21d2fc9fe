/** The state of a connection: as text, and waiting for it. */

import { effect, type ReadonlySignal } from '@preact/signals';
import { mark, t } from '../core/i18n/i18n';

export type Phase = 'connecting' | 'connected' | 'reconnecting' | 'disconnected';

export interface Status {
  phase: Phase;
  url: string;
  /** The number of the attempt to reconnect, from 1. */
  attempt?: number;
  /** When that attempt begins, in milliseconds since 1970. */
  nextAt?: number;
  /** Connecting waits for the client's program. */
  loading?: boolean;
  /** The page's own first choice, which failed and which this address replaces. */
  insteadOf?: string;
}

/** None of these but the first and the last may contain the word “connected”. */
const words: Record<Phase, string> = {
  connected: mark('connected'),
  connecting: mark('connecting'),
  reconnecting: mark('reconnecting'),
  disconnected: mark('disconnected'),
};

export function phaseWords(phase: Phase): string {
  return t(words[phase]);
}

export function statusWords({ phase, attempt, loading }: Status): string {
  if (loading) return t('loading the client');
  if (phase !== 'reconnecting' || attempt === undefined) return phaseWords(phase);
  return t('reconnecting, attempt {attempt}', { attempt });
}

/**
 * What `client` returns once the attempt to connect that is being made has succeeded, and undefined
 * when it fails or another address is connected to, unless the page itself goes there instead;
 * without an attempt nothing is waited for.
 */
export function whenConnected<C>(
  status: ReadonlySignal<Status>,
  client: () => C | undefined,
): Promise<C | undefined> | undefined {
  let wanted = status.peek().url;
  if (status.peek().phase !== 'connecting') return undefined;
  return new Promise((resolve) => {
    const stop = effect(() => {
      const now = status.value;
      // The page's start does not know it yet.
      if (wanted === '' || now.insteadOf === wanted) wanted = now.url;
      const same = now.url === wanted;
      if (now.phase === 'connecting' && same) return;
      resolve(now.phase === 'connected' && same ? client() : undefined);
      queueMicrotask(() => stop());
    });
  });
}
