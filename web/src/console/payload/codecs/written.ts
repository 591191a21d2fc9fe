/** Payloads in the formats that any bytes can be shown in. Apart from the encoders: only lazy parts need it. */

import { t } from '../../core/i18n/i18n';
import { hexDump, visibleLines } from '../../core/lines';
import { decodeUtf8, headOf } from '../../core/text';
import { base64 as toBase64 } from './base64';

interface Written {
  text: string;
  /** Bytes beyond it. */
  left: number;
  error?: string;
}

function text(payload: Uint8Array, most: number): Written {
  const head = headOf(payload, most);
  const left = payload.length - head.length;
  const decoded = decodeUtf8(head);
  if (decoded !== undefined) return { text: visibleLines(decoded), left };
  const error = t('Not UTF-8: � stands for what is malformed.');
  return { text: visibleLines(new TextDecoder().decode(head)), left, error };
}

function hex(payload: Uint8Array, most: number): Written {
  const head = payload.subarray(0, most);
  return { text: hexDump(head), left: payload.length - head.length };
}

function base64(payload: Uint8Array, most: number): Written {
  const head = payload.subarray(0, most);
  return { text: toBase64(head), left: payload.length - head.length };
}

/** Each writes at most so many bytes of a payload. */
export const writers = { text, hex, base64 };
