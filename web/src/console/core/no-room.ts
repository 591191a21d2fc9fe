import { t } from './i18n/i18n';

/** Why `keep` kept nothing. */
export function noRoom(): string {
  return t('This browser has no room for it, or is set to keep nothing for this page.');
}
