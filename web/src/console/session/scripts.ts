/** Which scripts a connection has. They are run elsewhere, with a program that loads when there are some. */

import { type Signal, signal } from '@preact/signals';
import type { Message } from '../../client';

export interface ScriptsOn {
  /** Of the broker that they were switched on for, without secrets: they run at no other. */
  url: string;
  names: readonly string[];
}

/** For a reload of the page. */
export interface ScriptsKept extends ScriptsOn {
  /** By their names, as JSON. */
  states?: [name: string, json: string][];
}

export interface Scripts {
  readonly on: Signal<ScriptsOn>;
  /** What they had in `state` a moment ago, as JSON: of those that run, or ran before a reload. */
  readonly states: Map<string, string>;
  /** Told of what arrives, before anybody shows it. */
  hear(messages: readonly Message[]): void;
}

export const createScripts = (): Scripts => ({
  on: signal({ url: '', names: [] }),
  states: new Map(),
  hear() {},
});
