/** For tests: what the client fails with, and the tabs of one browser with the storage that they have together. */

import { MqttError } from '../../client';
import type { Failure } from './failure';
import type { Tab } from './storage';

export const errorOf = ({ code, message, ...detail }: Failure) => new MqttError(code, message, detail);

export function browser() {
  const items = new Map<string, string>();
  const state = { full: false, forbidden: false };
  const tabs: { listeners: ((key: string | null) => void)[]; behind: Map<string, string> | undefined }[] = [];

  function tellOthers(writer: (typeof tabs)[number], key: string | null): void {
    for (const tab of tabs) {
      if (tab !== writer && !tab.behind) for (const listener of tab.listeners) listener(key);
    }
  }

  function open() {
    const own: (typeof tabs)[number] = { listeners: [], behind: undefined };
    tabs.push(own);
    const storage = {
      getItem: (key: string) => (own.behind ?? items).get(key) ?? null,
      setItem(key: string, value: string) {
        if (state.full) throw new DOMException('full', 'QuotaExceededError');
        own.behind?.set(key, value);
        items.set(key, value);
        tellOthers(own, key);
      },
    };
    const tab: Tab = {
      storage() {
        if (state.forbidden) throw new DOMException('forbidden', 'SecurityError');
        return storage;
      },
      onWritten: (call) => void own.listeners.push(call),
    };
    return {
      ...tab,
      /** Browsers do not bring each write to all tabs at once. */
      fallBehind(): void {
        own.behind = new Map(items);
      },
      catchUp(): void {
        own.behind = undefined;
        for (const key of items.keys()) for (const listener of own.listeners) listener(key);
      },
      /** As by the browser's settings for the site. */
      clear(): void {
        items.clear();
        tellOthers(own, null);
      },
    };
  }
  return { open, state, items };
}
