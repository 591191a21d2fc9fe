/** How the user wants to see each topic's payloads, for as long as the page is open. */

import { signal } from '@preact/signals';
import type { ViewFormat } from './format';

export interface Choice {
  /** Missing: chosen by the payload. */
  format?: ViewFormat;
  /** Full name of the Protobuf message. */
  type?: string;
}

/** Topics remembered; they may be 64 KiB long. */
const most = 500;

/** Counts the Protobuf definitions loaded, each of which changes what payloads mean. */
export const schemas = signal(0);

const choices = new Map<string, Choice>();

export function recall(topic: string): Choice {
  return choices.get(topic) ?? {};
}

export function remember(topic: string, choice: Choice): void {
  choices.delete(topic);
  choices.set(topic, choice);
  for (const oldest of choices.keys()) {
    if (choices.size <= most) break;
    choices.delete(oldest);
  }
}
