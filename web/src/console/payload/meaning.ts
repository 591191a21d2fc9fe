/** What a value of JSON most likely stands for: a moment, or bytes. */

import { hex, textOf } from '../core/text';
import { encode } from './codecs/base64';
import type { Scalar } from './sink';

/** Bytes shown. */
const most = 48;
const tenYears = 3.2e11;
/** Characters of a text that is looked at; a megabyte of letters is Base64 too. */
const longest = 4096;

const ofTime =
  /(?:(?:^|_)(?:t|ts|tst|at)|[a-z](?:Ts|At)|[tT]ime|[sS]tamp|[dD]ate|[sS]een|[eE]poch)(?:_?[mun]?s|Ms)?$/;
const ofBytes = /(?:data|payload|raw|bytes|body|value|buffer|content)$/i;
const base64 = /^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/;
/** Without padding, a word could be Base64 too. */
const noWord = /=$|^(?=.*[a-z])(?=.*[A-Z])(?=.*[\d+/])/;

/** A number that is near to now, in seconds down to nanoseconds. */
function moment(value: number): string | undefined {
  const milliseconds = [1000, 1, 1e-3, 1e-6].map((unit) => value * unit);
  const near = milliseconds.find((time) => Math.abs(time - Date.now()) < tenYears);
  return near === undefined ? undefined : new Date(near).toISOString().replace('.000', '');
}

function bytesOf(text: string): string | undefined {
  if (text === '' || !base64.test(text) || !noWord.test(text)) return undefined;
  const bytes = encode(text.slice(0, (most / 3) * 4));
  const more = text.length > (most / 3) * 4 ? '…' : '';
  return `Base64: ${textOf(bytes) ?? hex(bytes)}${more}`;
}

/** Of a payload that is text: a time if its topic says so, or Base64. */
export function meaningOfText(text: string, topic: string): string | undefined {
  const value = text.trim();
  if (value.length > longest) return undefined;
  if (ofTime.test(topic.slice(topic.lastIndexOf('/') + 1))) return moment(Number(value));
  return value.endsWith('=') || value.length >= 40 ? bytesOf(value) : undefined;
}

/** Key and text are as in JSON, quotes included. */
export function meaningOf(kind: Scalar, text: string, quoted = ''): string | undefined {
  const key = quoted.replaceAll('"', '');
  if (ofTime.test(key)) return moment(Number(text.replaceAll('"', '')));
  const value = text.slice(1, -1).replaceAll('\\/', '/');
  return kind === 'string' && (ofBytes.test(key) || value.endsWith('=')) ? bytesOf(value) : undefined;
}
