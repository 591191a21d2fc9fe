/** How much memory the feed may take, as the user chose. */

const MiB = 1024 * 1024;
export const budgets = [8, 16, 32, 64, 128, 256, 512].map((size) => size * MiB);
const standard = 32 * MiB;
const key = 'mqttwasm.feed.bytes';

/** Storage that may be forbidden, which throws when it is only touched. */
export type Storage = () => Pick<globalThis.Storage, 'getItem' | 'setItem'>;

export function loadBudget(storage: Storage): number {
  try {
    const bytes = Number(storage().getItem(key));
    return budgets.includes(bytes) ? bytes : standard;
  } catch {
    return standard;
  }
}

export function saveBudget(storage: Storage, bytes: number): void {
  try {
    storage().setItem(key, String(bytes));
  } catch {
    // It holds until the page is closed.
  }
}
