/** Numbers of things, in words. */

import { plural } from './i18n/i18n';

export const bytes = (count: number): string => plural(count, '{count} byte', '{count} bytes');

export const messages = (count: number): string => plural(count, '{count} message', '{count} messages');

export const topics = (count: number): string => plural(count, '{count} topic', '{count} topics');

export const values = (count: number): string => plural(count, '{count} value', '{count} values');
