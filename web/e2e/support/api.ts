/** The JavaScript API in a plain page, without the console. */

import type { Page } from '@playwright/test';

export interface Failure {
  name: string;
  code: string;
  field: string | undefined;
  reasonCode: number | undefined;
  reasonString: string | undefined;
  message: string;
}

declare global {
  interface Window {
    mqtt: typeof import('../../src/client');
    /** What the promise rejects with, as data; throws if it resolves. */
    failure(promise: Promise<unknown>): Promise<Failure>;
    /** Random bytes, which no accidental encoding or compression leaves intact. */
    randomBytes(size: number): Uint8Array;
    sameBytes(a: Uint8Array, b: Uint8Array): boolean;
  }
}

/** Opens a page of the server's origin with `window.mqtt` and the helpers above. */
export async function openApi(page: Page, origin: string, query = ''): Promise<void> {
  await page.goto(`${origin}/healthz${query}`);
  await page.evaluate(async (path) => {
    window.mqtt = await import(path);
    window.failure = async (promise) => {
      try {
        await promise;
      } catch (error) {
        if (!(error instanceof window.mqtt.MqttError)) throw new Error(`not an MqttError: ${error}`);
        const { name, code, field, reasonCode, reasonString, message } = error;
        return { name, code, field, reasonCode, reasonString, message };
      }
      throw new Error('it did not reject');
    };
    window.randomBytes = (size) => {
      const bytes = new Uint8Array(size);
      // getRandomValues is limited to 64 KiB
      for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
      return bytes;
    };
    window.sameBytes = (a, b) => a.length === b.length && a.every((byte, index) => byte === b[index]);
  }, '/mqttwasm.js');
}
