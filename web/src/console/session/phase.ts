/** The state of a connection as text. */

import { mark, t } from '../core/i18n/i18n';
import type { Phase, Status } from './connection';

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
