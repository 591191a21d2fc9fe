import { TranslatedError, t, type Words } from '../core/i18n/i18n';
import { wordsOf } from '../core/text';

/** A failure of the browser's storage. The message says what to do. */
export class StorageError extends TranslatedError {
  override readonly name = 'StorageError';
}

export const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '');

export function explain(error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const because = (words: Words) => new StorageError(words, { cause: error });
  switch (nameOf(error)) {
    case 'QuotaExceededError':
      return because(() =>
        t(
          "no room is left: the browser's limit for this page, or the disk, is reached. Export and delete recordings",
        ),
      );
    case 'SecurityError':
      return because(() =>
        t(
          'the browser does not let this page store anything. Leave the private window, or allow this site to store data',
        ),
      );
    case 'VersionError':
      return because(() => t('the recordings are of a newer version of this page. Reload it'));
    case 'AbortError':
    case 'InvalidStateError':
      return because(() => t('the browser has closed its storage. Try again, or reload the page'));
    default:
      return because(() => t("the browser's storage failed: {reason}", { reason: wordsOf(error) }));
  }
}

export const gone = (): StorageError =>
  new StorageError(() => t('the recording is gone: it has been deleted'));
