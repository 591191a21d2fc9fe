import { t } from '../core/i18n/i18n';

/** Bytes or text that are not what they are read as. The message says what is wrong, and where. */
export class PayloadError extends Error {
  override readonly name = 'PayloadError';
}

/** Levels of arrays and maps in one another: more is an attack on whoever reads it. */
export const deepest = 200;

export function tooDeep(): PayloadError {
  return new PayloadError(t('nested deeper than {count} levels', { count: deepest }));
}
