import { type Told, t } from './i18n/i18n';
import { visible } from './text';

/**
 * The text of a file; undefined if it can't be read, which `problem` says. What is longer than
 * `most` characters is still so, without being read as a whole: a character takes three bytes at most.
 */
export async function readText(file: File, most: number, problem: Told): Promise<string | undefined> {
  try {
    return await file.slice(0, 3 * most + 1).text();
  } catch {
    problem.value = () => t('“{name}” could not be read', { name: visible(file.name) });
    return undefined;
  }
}
