import { t } from './i18n/i18n';
import type { Outcome } from './storage';

/** Why `keep` kept nothing. */
export function noRoom(): string {
  return t('This browser has no room for it, or is set to keep nothing for this page.');
}

/** Why a change of a kept list was not kept; empty if it was. */
export function whyNotKept(outcome: Outcome, most: number): string {
  if (outcome === 'kept') return '';
  return outcome === 'no room' ? noRoom() : t('There is room for {most}: delete one first.', { most });
}
