/** Which calls reach the underlying client, and when. */

import { expect, test, vi } from 'vitest';
import WebSocket from 'ws';
import mqtt from './index';

const reached = vi.hoisted(() => [] as unknown[]);

vi.mock(import('../client/create-client'), async (original) => {
  const module = await original();
  return {
    ...module,
    createHeldClient(options) {
      const held = module.createHeldClient(options);
      const { publish } = held.client;
      held.client.publish = (topic, payload, given) => {
        reached.push(payload);
        return publish(topic, payload, given);
      };
      return held;
    },
  };
});

test.each([false, true])(
  'a publish reaches the client synchronously (manualConnect: %s)',
  async (manualConnect) => {
    const client = mqtt.connect('ws://127.0.0.1:1/', { worker: false, WebSocket, manualConnect });
    const outcome = client.publishAsync('a', `at once ${manualConnect}`, { qos: 1 });
    expect(reached).toContain(`at once ${manualConnect}`);
    if (!manualConnect) {
      await new Promise<void>((resolve) => void client.once('offline', resolve));
      client.publish('a', 'while it reconnects');
      expect(reached).toContain('while it reconnects');
    }
    client.end(true);
    await expect(outcome).rejects.toMatchObject({ code: 'not-connected' });
  },
);
