/** Loads .proto files, which are kept for the next visit. */

import { TranslatedError, t, type Words } from '../core/i18n/i18n';
import { noRoom } from '../core/no-room';
import { visible, wordsOf } from '../core/text';
import type { Choices } from './choices';
import { type ProtoFile, type Schema, schemaOf } from './schema';

/** Bytes of one file that are read at all. */
const largest = 1024 * 1024;

/** Instead of those loaded before. Returns why they were not accepted, or are not kept; or nothing. */
export async function load({ files: kept }: Pick<Choices, 'files'>, files: File[]): Promise<Words | ''> {
  try {
    const tooLarge = files.find(({ size }) => size > largest);
    if (tooLarge)
      throw new TranslatedError(() => t('{file} is larger than 1 MiB', { file: visible(tooLarge.name) }));
    const texts = await Promise.all(
      files.map(async (file) => ({ name: file.name, text: await file.text() })),
    );
    schemaOf(texts);
    const others = kept.latest().filter(({ name }) => texts.every((file) => file.name !== name));
    const outcome = kept.change(
      texts,
      others.map(({ name }) => name),
      true,
    );
    return outcome === 'kept' ? '' : noRoom;
  } catch (reason) {
    return () => wordsOf(reason);
  }
}

/** What the files define, and what is wrong with them. */
export function definedBy(files: readonly ProtoFile[]): Pick<Schema, 'types'> & { problem?: string } {
  try {
    return files.length > 0 ? schemaOf(files) : { types: [] };
  } catch (reason) {
    return { types: [], problem: wordsOf(reason) };
  }
}
