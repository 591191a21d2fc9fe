/** Texts for what scripts did, and why they were stopped. */

import { t, type Words } from '../core/i18n/i18n';
import { brief } from '../core/text';
import { bounds } from './bounds';
import type { Act, Place, Stop } from './protocol';

/** The line of the code at which it was stopped. */
export type LineOfHang = (code: string, place: Place) => Promise<number>;

const atLine = (text: string, line: number | undefined): string =>
  line === undefined ? text : t('{text} (line {line})', { text, line });

/** Its parser is loaded on demand. */
export const lineOfHang: LineOfHang = async (code, place) =>
  (await import('./where')).lineOfHang(code, place);

/** With a text that is in the language at the time it is read. */
export const telling = <const T extends object>(what: T, words: Words): T & { readonly text: string } => ({
  ...what,
  get text() {
    return words();
  },
});

/** What a script logged, or its error. */
export function saidBy(act: Extract<Act, { kind: 'log' | 'alert' | 'error' }>): Words {
  const text = brief(act.text, bounds.line);
  const line = 'place' in act ? act.place?.line : undefined;
  return () => atLine(text, line);
}

/** Why a script was stopped, and at which line of its code. */
export async function whyStopped(
  { why, text, place }: Extract<Act, { kind: 'stopped' }>,
  code: string,
  lineOfHang: LineOfHang,
): Promise<Words> {
  const line = why === 'slow' && place ? await lineOfHang(code, place).catch(() => place.line) : place?.line;
  return () => atLine(wordsFor(why, brief(text)), line);
}

export function wordsFor(why: Stop, text: string): string {
  if (why === 'slow') return t('Stopped: it took longer than {count} ms', { count: bounds.call.own });
  if (why === 'memory') return t('Stopped: it exceeded its memory limit');
  if (why === 'unloaded')
    return t('Not started: its engine could not be loaded ({reason})', { reason: text });
  return t('Not started: {reason}', { reason: text });
}

/** For a call that only ending the worker stops. */
export const whyHung = (seconds: number): string =>
  t('Stopped: a call did not end within {count} s', { count: seconds });
