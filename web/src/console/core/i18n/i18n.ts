/**
 * The page's language. English is in the code; another one is a dictionary whose keys are the
 * English texts.
 */

import { signal } from '@preact/signals';
import { keep, readKept } from '../storage';

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

/**
 * The sentence in the page's language. `{name}` in it stands for a value; placeholders in a value
 * are not replaced.
 */
export function t(sentence: string, values?: Readonly<Record<string, string | number>>): string {
  const found = translated(sentence);
  if (!values) return found;
  return found.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** The sentence with elements for some of its values, as children for JSX. */
export function parts<E>(sentence: string, values: Readonly<Record<string, E>>): (string | E)[] {
  return translated(sentence)
    .split(/\{(\w+)\}/)
    .map((part, i) => (i % 2 === 0 ? part : (values[part] ?? `{${part}}`)));
}

/** The sentence for a count: `one` if the language has a form for it; `{count}` in either is the number. */
export function plural(count: number, one: string, other: string, shown: string | number = count): string {
  const singular = count === 1 && language.value === 'en';
  return t(singular ? one : other, { count: shown });
}

function translated(sentence: string): string {
  const words = dictionary.value;
  return Object.hasOwn(words, sentence) ? (words[sentence] ?? sentence) : sentence;
}

/** A text, or a function that returns it in the current language. */
export type Words = string | (() => string);

/** A message that stays visible, always in the current language. */
export interface Told {
  get value(): string;
  set value(words: Words);
}

export function createTold(): Told {
  const words = signal<Words>('');
  return {
    get value() {
      return said(words.value);
    },
    set value(now) {
      words.value = now;
    },
  };
}

const said = (words: Words): string => (typeof words === 'string' ? words : words());

/** Makes an error's message a text in the language at the time it is read. */
export const saying = <E extends Error>(error: E, words: () => string): E =>
  Object.defineProperty(error, 'message', { get: words });

/** A sentence that is translated where it is shown. */
export const mark = (sentence: string): string => sentence;
