/** What the page had before it was reloaded: see keep.ts, which loads while the page starts. */

import { isRecord, readKept } from '../core/storage';

export const key = 'mqttwasm.open';
export const storage = () => sessionStorage;
export const linkIn = (hash: string): string => (hash.includes('=') ? hash : '');

/** Undefined if the page was not reloaded. */
export function keptOpen(): unknown {
  const [navigation] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  const kept = readKept(key, storage);
  const same = navigation?.type === 'reload' && isRecord(kept) && kept.link === linkIn(location.hash);
  return same ? kept : undefined;
}
