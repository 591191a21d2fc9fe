/**
 * What is open, for a reload of the page: kept for this tab alone, and without
 * what lets somebody in. One connection alone begins anew, as the page does.
 */

import { isRecord, keep, readKept } from '../core/storage';
import type { Settings } from './settings';

/** One connection. */
export interface Kept {
  name: string;
  /** The profile that it was filled from. */
  profile?: string;
  /** Without passwords. */
  settings: Settings;
  /** Whether there were any. */
  secrets: boolean;
  /** It was connected, or on its way. */
  connected: boolean;
}

const key = 'mqttwasm.open';
const storage = () => sessionStorage;

/** Keeps what `connections` are whenever the page may be about to go. */
export function keepOpen(connections: () => { active: number; list: Kept[] }): void {
  function save(): void {
    const { active, list } = connections();
    // With the link that the page was opened by: another one is another wish.
    keep(key, list.length > 1 ? { link: location.hash, active, list } : null, storage);
  }
  addEventListener('pagehide', save);
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') save();
  });
}

/** Undefined where the page was not reloaded, or had one connection. */
export function keptOpen(): unknown {
  const [navigation] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  const kept = readKept(key, storage);
  const same = navigation?.type === 'reload' && isRecord(kept) && kept.link === location.hash;
  return same ? kept : undefined;
}
