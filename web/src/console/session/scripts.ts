/** The scripts of a connection. They are run elsewhere, by a part that is loaded if there are any. */

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
  /** Their recent `state`, as JSON: of those that run, or ran before a reload. */
  readonly states: Map<string, string>;
  /** Called with what arrives, before it is shown. */
  hear(messages: readonly Message[]): void;
}

export const createScripts = (): Scripts => ({
  on: signal({ url: '', names: [] }),
  states: new Map(),
  hear() {},
});
