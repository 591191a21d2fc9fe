import { expect, test } from 'vitest';
import { type Change, changed } from './states';
import type { ClientState } from './types';

test.each<[why: string, changes: Change[], states: ClientState[]]>([
  ['a start', ['connect'], ['connected']],
  ['a start that takes two attempts', ['retry', 'connect'], ['reconnecting', 'connected']],
  [
    'a connection lost',
    ['connect', 'lose', 'retry', 'connect'],
    ['connected', 'reconnecting', 'reconnecting', 'connected'],
  ],
  [
    'a page that is frozen while connected',
    ['connect', 'suspend', 'close', 'resume', 'connect'],
    ['connected', 'connected', 'disconnected', 'reconnecting', 'connected'],
  ],
  [
    'a page that is frozen between attempts',
    ['retry', 'suspend', 'resume'],
    ['reconnecting', 'disconnected', 'reconnecting'],
  ],
  ['an end', ['connect', 'end', 'resume'], ['connected', 'disconnected', 'reconnecting']],
])('%s', (_, changes, states) => {
  let state: ClientState = 'connecting';
  expect(
    changes.map((change) => {
      state = changed(state, change);
      return state;
    }),
  ).toEqual(states);
});
