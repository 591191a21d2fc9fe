/** Whether the packets of a connection are recorded. Here by itself, since connecting asks. */

import { type Signal, signal } from '@preact/signals';

const switches = new WeakMap<object, Signal<boolean>>();

export function recordingOf(connection: object): Signal<boolean> {
  let recording = switches.get(connection);
  if (!recording) {
    recording = signal(false);
    switches.set(connection, recording);
  }
  return recording;
}
