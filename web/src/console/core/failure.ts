/** What went wrong, as the page shows it. */

import { MqttError, type MqttErrorCode } from '../../client';
import { topicFilter } from '../../client/checks/topics';
import { limits } from './limits';
import { brief, wordsOf } from './text';

/** The parts of an `MqttError` that an explanation uses. */
export interface Failure {
  code: MqttErrorCode;
  message: string;
  field?: string;
  reasonCode?: number;
  reasonString?: string;
  closeCode?: number;
  /** The client's program could not be loaded. */
  unloaded?: boolean;
}

export function toFailure(error: unknown): Failure {
  return error instanceof MqttError ? error : { code: 'crashed', message: wordsOf(error) };
}

export function formatReasonCode(code: number): string {
  return `0x${code.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** What is wrong with a topic filter; empty if it is valid. */
export function mistakeIn(filter: string): string {
  try {
    topicFilter(filter, 'filter');
    return '';
  } catch (error) {
    return atField(toFailure(error));
  }
}

/** The client's message in one line, with the broker's reason code if it lacks it. */
export function inOneLine(failure: Failure): string {
  const message = brief(failure.message, limits.notice);
  if (failure.reasonCode === undefined) return message;
  const code = formatReasonCode(failure.reasonCode);
  return message.includes(code) ? message : `${message} [${code}]`;
}

/** The same for showing beside the field, without the field's name. */
export function atField(failure: Failure): string {
  const words = inOneLine(failure).replace(`${failure.field}: `, '');
  // A path such as `will.qos` is written as it is.
  return /^\w+[.[:]/.test(words) ? words : words.charAt(0).toUpperCase() + words.slice(1);
}
