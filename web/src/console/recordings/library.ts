/** The recordings of this browser. */

import { signal } from '@preact/signals';
import { createTold, mark, TranslatedError, t } from '../core/i18n/i18n';
import { visible, wordsOf } from '../core/text';
import type { Counts, Database, Recording } from './database';

export interface Dependencies {
  database: Database;
  /** Milliseconds since 1970. */
  now(): number;
  /** Both are missing on pages that came over plain http. */
  storage: StorageManager | undefined;
  locks: LockManager | undefined;
}

export interface Space {
  /** Bytes. */
  used: number;
  available: number;
  /** Whether the browser keeps it when it is short of space. */
  kept: boolean;
}

const longestName = 200;
const lockName = (id: number) => `mqttwasm-recording-${id}`;

export function countOf({ received, sent, unsent }: Counts): number {
  return received + sent + unsent;
}

export type Library = ReturnType<typeof createLibrary>;

export function createLibrary({ database, now, storage, locks }: Dependencies) {
  /** The newest first; undefined until it is read. */
  const list = signal<Recording[] | undefined>(undefined);
  /** Those that a page writes, this one or another. */
  const held = signal<ReadonlySet<number>>(new Set());
  const space = signal<Space | undefined>(undefined);
  const problem = createTold();
  /** The last success. */
  const said = createTold();

  async function look(): Promise<void> {
    const all = await database.list();
    const names = new Set((await locks?.query())?.held?.map(({ name }) => name));
    held.value = new Set(all.map(({ id }) => id).filter((id) => names.has(lockName(id))));
    list.value = all;
    await measure();
  }

  async function measure(): Promise<void> {
    const [estimate, kept] = await Promise.all([storage?.estimate(), storage?.persisted()]);
    const { usage = 0, quota = 0 } = estimate ?? {};
    space.value = estimate && { used: usage, available: Math.max(0, quota - usage), kept: kept ?? false };
  }

  /** Reports a failure with a message that begins with the sentence `failed`. Never rejects. */
  async function attempt(failed: string, work: () => Promise<void>): Promise<void> {
    problem.value = '';
    said.value = '';
    try {
      await work();
    } catch (error) {
      problem.value = () => t('{what}: {reason}.', { what: t(failed), reason: wordsOf(error) });
    }
    await look().catch((error) => {
      list.value ??= [];
      const words = () => t('The recordings could not be read: {reason}.', { reason: wordsOf(error) });
      if (problem.value === '') problem.value = words;
    });
  }

  /**
   * Makes an empty recording. Until `release` is called, or the page is closed, no page treats it
   * as one that was cut short.
   */
  async function create(
    name: string,
    about: Partial<Recording>,
  ): Promise<{ recording: Recording; release(): void }> {
    const counts = { received: 0, sent: 0, unsent: 0, bytes: 0, lost: 0, chunks: 0 };
    const empty = { broker: '', filter: '', begin: now(), end: now(), ...counts, done: false };
    const recording = await database.create({ ...empty, ...about, name });
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    void locks?.request(lockName(recording.id), () => released);
    return { recording, release };
  }

  return {
    list,
    held,
    space,
    problem,
    said,
    attempt,
    create,
    measure: () => measure().catch(() => {}),
    refresh: () => attempt(mark('Not read'), async () => {}),
    rename: ({ id }: Recording, typed: string) =>
      attempt(mark('Not renamed'), async () => {
        const name = typed.trim().slice(0, longestName);
        if (name === '') throw new TranslatedError(() => t('a recording needs a name'));
        await database.append(id, [], (before) => ({ ...before, name }));
      }),
    remove: ({ id, name }: Recording) =>
      attempt(mark('Not deleted'), async () => {
        await database.remove(id);
        said.value = () => t('Deleted “{name}”.', { name: visible(name) });
      }),
  };
}
