/** Scripts as text: comments at the beginning have the script's name and topic filter. */

import { mistakeIn } from '../core/failure';
import { TranslatedError, t } from '../core/i18n/i18n';
import { isRecord } from '../core/storage';
import { bounds } from './bounds';

export interface Script {
  name: string;
  /** Topic filter of the messages that it gets. */
  filter: string;
  code: string;
  /** PUBLISH packets in a second. */
  rate: number;
  /** It came from a file, and was not reviewed yet. */
  foreign?: boolean;
}

/** Whether both do the same, whatever they are called. */
export const isSame = (one: Script, other: Script): boolean =>
  one.code === other.code && one.filter === other.filter && one.rate === other.rate;

const mark = '// mqttwasm script';
/** Characters. */
export const longestName = 100;
/** Characters of a file that is read. */
export const largestFile = bounds.scripts * (bounds.code + 1000);

/** Text or JSON that is not a valid script. The message says which one, and what is wrong with it. */
export class ScriptError extends TranslatedError {
  override readonly name = 'ScriptError';
}

export const nameFrom = (typed: string): string => typed.trim().slice(0, longestName);

/** In one line, whatever a name or a filter holds. */
const inLine = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029]/gu, ' ');

export function textOf(scripts: readonly Script[]): string {
  return scripts
    .map(({ name, filter, rate, code }) => {
      const head = [mark, `// Name: ${inLine(name)}`, `// Topic filter: ${inLine(filter)}`];
      return `${[...head, `// Publishes per second: ${rate}`, '', code.trimEnd()].join('\n')}\n`;
    })
    .join('\n');
}

export function rateFrom(value: unknown): number {
  const { publications, mostPublications } = bounds.perSecond;
  const rate = Number(value);
  return Number.isInteger(rate) && rate >= 0 && rate <= mostPublications ? rate : publications;
}

function scriptFrom(text: string, orElse: string): Script {
  const lines = text.split('\n');
  const found: Record<string, string> = {};
  let line = 0;
  for (; line < lines.length; line++) {
    const [, field, value] =
      /^\/\/ (Name|Topic filter|Publishes per second): (.*)$/.exec(lines[line] ?? '') ?? [];
    if (field === undefined || value === undefined) break;
    found[field] = value.trim();
  }
  const code = lines.slice(line).join('\n').replace(/^\n+/, '').trimEnd();
  const name = nameFrom(found.Name ?? '') || orElse;
  const filter = found['Topic filter'] ?? '#';
  if (code === '') throw new ScriptError(() => t('“{name}” is empty', { name }));
  return foreign({ name, filter, rate: rateFrom(found['Publishes per second']), code });
}

/** Throws a ScriptError if it is not a valid one. */
function foreign(script: Script): Script {
  const { name, filter, code } = script;
  if (code.length > bounds.code) {
    throw new ScriptError(() =>
      t('“{name}” is longer than {count} characters', { name, count: bounds.code }),
    );
  }
  if (mistakeIn(filter)) throw new ScriptError(() => t('“{name}”: its topic filter is not valid', { name }));
  return { ...script, foreign: true };
}

/** Those in foreign JSON, as a file of profiles holds them. Throws a ScriptError. */
export function scriptsOf(value: unknown): Script[] {
  if (!Array.isArray(value)) throw new ScriptError(() => t('The scripts in the file are not a list'));
  if (value.length > bounds.scripts) {
    throw new ScriptError(() => t('The file holds more than {count} scripts', { count: bounds.scripts }));
  }
  return value.map((entry: unknown, n) => {
    const given: Record<string, unknown> = isRecord(entry) ? entry : {};
    const text = (field: 'name' | 'filter' | 'code'): string => {
      const value = given[field];
      // A new script has no code yet.
      if (typeof value === 'string' && (field === 'code' || value.trim() !== '')) return value;
      throw new ScriptError(() =>
        t('Script {number} in the file: “{field}” is missing or not text', { number: n + 1, field }),
      );
    };
    return foreign({
      name: nameFrom(text('name')),
      filter: text('filter'),
      rate: rateFrom(given.rate),
      code: text('code').replace(/\r\n?/g, '\n'),
    });
  });
}

/**
 * The scripts of a file, or its whole text as one named `orElse`. Throws a ScriptError if there is
 * none.
 */
export function scriptsFrom(text: string, orElse: string): Script[] {
  if (text.length > largestFile)
    throw new ScriptError(() => t('The file is larger than any that this page exports'));
  const parts = text.replace(/\r\n?/g, '\n').split(`${mark}\n`);
  const [before = '', ...marked] = parts;
  return marked.length === 0 || before.trim() !== ''
    ? [scriptFrom(parts.join(''), orElse)]
    : marked.slice(0, bounds.scripts).map((part, n) => scriptFrom(part, `${orElse} ${n + 1}`));
}
