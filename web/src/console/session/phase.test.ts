import { signal } from '@preact/signals';
import { expect, it } from 'vitest';
import { type Status, whenConnected } from './phase';

const connecting = (url: string): Status => ({ phase: 'connecting', url });

it('waits for the current attempt, even before its address is known', async () => {
  const status = signal(connecting(''));
  const client = whenConnected(status, () => 'client');
  status.value = connecting('ws://a/');
  status.value = { phase: 'connected', url: 'ws://a/' };
  expect(await client).toBe('client');
});

it.each<[what: string, next: Status]>([
  ['failed', { phase: 'disconnected', url: 'ws://a/' }],
  ['was given up for another broker', connecting('ws://b/')],
  ['was given up for one that is connected at once', { phase: 'connected', url: 'ws://b/' }],
])('there is no client when it %s', async (_, next) => {
  const status = signal(connecting('ws://a/'));
  const client = whenConnected(status, () => 'client');
  status.value = next;
  expect(await client).toBeUndefined();
});

it('does not wait without an attempt', () => {
  const idle: Status = { phase: 'disconnected', url: 'ws://a/' };
  expect(whenConnected(signal(idle), () => 'client')).toBeUndefined();
});
