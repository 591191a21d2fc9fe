import { TranslatedError, t } from '../core/i18n/i18n';
import { limits } from '../core/limits';
import { visible } from '../core/text';

/** Bytes or text that are not in the expected format. The message says what is wrong, and where. */
export class PayloadError extends TranslatedError {
  override readonly name = 'PayloadError';
}

export function tooDeep(): PayloadError {
  return new PayloadError(() => t('nested deeper than {count} levels', { count: limits.depth }));
}

/** Throws PayloadError at the first character that is `bad`, not `what` it should be. */
export function refuse(text: string, bad: RegExp, what: string): void {
  const at = text.search(bad);
  if (at < 0) return;
  const char = String.fromCodePoint(text.codePointAt(at) ?? 0);
  throw new PayloadError(() =>
    t('“{character}” (character {number}) is not {what}', {
      character: visible(char),
      number: at + 1,
      what: t(what),
    }),
  );
}
