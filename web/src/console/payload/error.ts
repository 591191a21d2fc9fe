import { t } from '../core/i18n/i18n';
import { limits } from '../core/limits';

/** Bytes or text that are not what they are read as. The message says what is wrong, and where. */
export class PayloadError extends Error {
  override readonly name = 'PayloadError';
}

export function tooDeep(): PayloadError {
  return new PayloadError(t('nested deeper than {count} levels', { count: limits.depth }));
}
