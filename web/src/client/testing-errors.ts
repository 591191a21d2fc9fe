/** For tests: what an error says. */

import { expect } from 'vitest';
import { MqttError } from './errors';

/** Which field `check` finds wrong, and has in its message too; undefined where it finds none. */
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
