/** For tests: the field of an error. */

import { expect } from 'vitest';
import { MqttError } from './errors';

/** The field that `check` finds wrong, which must be in its message, too; undefined if none. */
export function fieldOf(check: () => unknown): string | undefined {
  try {
    check();
  } catch (error) {
    expect(error).toBeInstanceOf(MqttError);
    expect((error as MqttError).code).toBe('bad-option');
    expect((error as MqttError).message).toContain((error as MqttError).field);
    return (error as MqttError).field;
  }
  return undefined;
}
