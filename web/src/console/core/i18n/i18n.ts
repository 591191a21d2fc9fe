/**
 * The page's language. English is in the code; another one is a dictionary whose keys are the
 * English texts.
 */

import { signal } from '@preact/signals';
import { keep, readKept } from '../storage';
import { formatCount } from '../text';

export const languages = { en: 'English', zh: '中文' } as const;

export type Language = keyof typeof languages;

/** As HTML names them. */
export const tags: Readonly<Record<Language, string>> = { en: 'en', zh: 'zh-CN' };

const key = 'mqttwasm.language';

const dictionary = signal<Readonly<Record<string, string>>>({});
export const language = signal<Language>('en');

const isLanguage = (name: unknown): name is Language =>
  typeof name === 'string' && Object.hasOwn(languages, name);

/** The language chosen before, or the first of the browser's languages that the page has. */
export function preferred(kept: unknown, wanted: readonly string[]): Language {
  if (isLanguage(kept)) return kept;
  return wanted.map((tag) => tag.toLowerCase().split('-')[0]).find(isLanguage) ?? 'en';
}

/** Resolves when the page is in that language, and rejects if its dictionary can't be fetched. */
async function speak(wanted: Language): Promise<void> {
  dictionary.value = wanted === 'zh' ? (await import('./zh')).zh : {};
  language.value = wanted;
  document.documentElement.lang = tags[wanted];
}

export async function choose(wanted: Language): Promise<void> {
  await speak(wanted);
  keep(key, wanted);
}

/** To be called before anything is shown. Without its dictionary the page is in English. */
export async function start(): Promise<void> {
  const wanted = preferred(readKept(key), navigator.languages);
  if (wanted !== 'en') await speak(wanted).catch(() => {});
}

const shown = <V>(value: V) => (typeof value === 'number' ? formatCount(value) : value);

/**
 * The sentence in the page's language. `{name}` in it stands for a value; placeholders in a value
 * are not replaced. Numbers get separators: one that identifies something is given as text.
 */
export function t(sentence: string, values?: Readonly<Record<string, string | number>>): string {
  const found = translated(sentence);
  if (!values) return found;
  return found.replace(/\{(\w+)\}/g, (whole, name: string) => String(shown(values[name]) ?? whole));
}

/** The sentence with elements for some of its values, as children for JSX. */
export function parts<E>(sentence: string, values: Readonly<Record<string, E>>): (string | E)[] {
  return translated(sentence)
    .split(/\{(\w+)\}/)
    .map((part, i) => (i % 2 === 0 ? part : (shown(values[part]) ?? `{${part}}`)));
}

/** The sentence for a count: `one` if the language has a form for it; `{count}` in either is the number. */
export const plural = (count: number, one: string, other: string): string =>
  t(count === 1 && language.value === 'en' ? one : other, { count });

function translated(sentence: string): string {
  const words = dictionary.value;
  return Object.hasOwn(words, sentence) ? (words[sentence] ?? sentence) : sentence;
}

/** Returns a text in the language at the time it is called. */
export type Words = () => string;

/** A message that stays visible. It is kept as a function, so that it is always in the current language. */
export interface Told {
  get value(): string;
  set value(words: Words | '');
}

export function createTold(): Told {
  const words = signal<Words>(() => '');
  return {
    get value(): string {
      return words.value();
    },
    set value(now: Words | '') {
      words.value = now || (() => '');
    },
  };
}

export type FieldErrors<Field extends string = string> = { readonly [F in Field]?: Words };

/** What is wrong with the fields of a form, by their names. */
export function createFieldErrors<Field extends string = string>() {
  const words = signal<FieldErrors<Field>>({});
  return {
    /** In the current language. */
    get value(): { readonly [F in Field]?: string } {
      const all = Object.entries<Words | undefined>(words.value);
      return Object.fromEntries(all.map(([field, why]) => [field, why?.()])) as { [F in Field]?: string };
    },
    /** Replaces all of them. */
    set(errors: FieldErrors<Field>): void {
      words.value = errors;
    },
    add(errors: FieldErrors<Field>): void {
      words.value = { ...words.peek(), ...errors };
    },
    /** Removes those of fields that have changed. */
    drop(changed: (field: string) => boolean): void {
      const left = Object.entries(words.peek()).filter(([field]) => !changed(field));
      words.value = Object.fromEntries(left) as FieldErrors<Field>;
    },
  };
}

/** Makes an error's message a text in the language at the time it is read. */
export const saying = <E extends { message: string }>(error: E, words: Words): E =>
  Object.defineProperty(error, 'message', { get: words });

/** An error whose message is in the language at the time it is read. */
export class TranslatedError extends Error {
  constructor(words: Words, options?: ErrorOptions) {
    super('', options);
    saying(this, words);
  }
}

/** A sentence that is translated where it is shown. */
export const mark = (sentence: string): string => sentence;
