/** What became of a message that was published. */

import type { PublishResult, QoS } from '../../client';
import { t } from '../core/i18n/i18n';
import { visible } from '../core/text';

export interface Outcome {
  id: number;
  at: number;
  topic: string;
  tone: 'waiting' | 'good' | 'warning' | 'bad';
  /** In the current language. */
  text(): string;
}

/** No matching subscribers (3.4.2.1). */
const noSubscribers = 0x10;

export function wordsFor(
  result: PublishResult,
  qos: QoS,
  milliseconds: number,
): Pick<Outcome, 'tone' | 'text'> {
  const said = result.reasonString ? ` (${visible(result.reasonString)})` : '';
  if (qos === 0) return { tone: 'good', text: () => `${t('Sent')}${said}` };
  const after = { milliseconds: Math.max(1, Math.round(milliseconds)) };
  if (result.reasonCode === noSubscribers) {
    const words = () => t('Acknowledged after {milliseconds} ms: no subscribers', after);
    return { tone: 'warning', text: () => `${words()}${said}` };
  }
  return { tone: 'good', text: () => `${t('Acknowledged after {milliseconds} ms', after)}${said}` };
}
