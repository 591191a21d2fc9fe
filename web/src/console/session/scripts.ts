/** Which scripts a connection has. They are run elsewhere, with a program that loads when there are some. */

import { type Signal, signal } from '@preact/signals';
import type { Message } from '../../client';

export interface ScriptsOn {
  /** Of the broker that they were switched on for, without secrets: they run at no other. */
  url: string;
  names: readonly string[];
}

export interface Scripts {
  readonly on: Signal<ScriptsOn>;
  /** Told of what arrives, before anybody shows it. */
  hear(messages: readonly Message[]): void;
}

export const createScripts = (): Scripts => ({ on: signal({ url: '', names: [] }), hear() {} });
