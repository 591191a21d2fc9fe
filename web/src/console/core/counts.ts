/** Numbers of things, in words. */

import { plural } from './i18n/i18n';
import { formatCount } from './text';

export const bytes = (count: number): string =>
  plural(count, '{count} byte', '{count} bytes', formatCount(count));

export const messages = (count: number): string =>
  plural(count, '{count} message', '{count} messages', formatCount(count));

export const topics = (count: number): string =>
  plural(count, '{count} topic', '{count} topics', formatCount(count));

export const values = (count: number): string =>
  plural(count, '{count} value', '{count} values', formatCount(count));
