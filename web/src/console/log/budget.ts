/** How much memory the feed may take, as the user chose. */

import { keep, readKept } from '../core/storage';

const MiB = 1024 * 1024;
export const budgets = [8, 16, 32, 64, 128, 256, 512].map((size) => size * MiB);
const standard = 32 * MiB;
const key = 'mqttwasm.feed.bytes';

export function loadBudget(): number {
  const kept = readKept(key);
  return budgets.find((bytes) => bytes === kept) ?? standard;
}

/** Where nothing can be kept, it holds until the page is closed. */
export function saveBudget(bytes: number): void {
  keep(key, bytes);
}
