/** Jobs on recordings: showing, publishing again, exporting and importing. */

import { type Signal, signal } from '@preact/signals';
import { messages } from '../core/counts';
import { mark, plural, TranslatedError, t, type Words } from '../core/i18n/i18n';
import type { Clock } from '../core/repeat';
import { visible } from '../core/text';
import type { Entry } from '../log/entry';
import { rest } from '../log/export';
import type { Feed } from '../log/feed';
import type { Session } from '../session/session';
import { withoutSecrets } from '../session/settings';
import { createAgain, type Outcome } from './again';
import type { Counts, Database, Recording } from './database';
import { countOf, type Library } from './library';
import { type Player, play, type Speed } from './player';
import { none } from './recorder';
import { entriesIn, exported, imported, piecesOf } from './transfer';

export interface Dependencies {
  library: Pick<Library, 'attempt' | 'create' | 'said'>;
  database: Pick<Database, 'append' | 'chunk' | 'remove'>;
  feed: Pick<Feed, 'replay'>;
  clock: Clock;
  save(name: string, file: Blob): void;
}

export interface Mistakes {
  /** Lines left out. */
  wrong: number;
  /** What is wrong with the first of them. */
  first: Words[];
}

export const noMistakes: Mistakes = { wrong: 0, first: [] };

export type Which = 'received' | 'sent' | 'both';

/** A recording that is played. */
export interface Job {
  recording: Recording;
  player: Player;
  total: number;
  /** Where it is published; missing when it is shown in the feed. */
  again?: { broker: string; outcome: Signal<Outcome> };
}

/** A file that is written or read. */
export interface Transfer {
  what: 'Exporting' | 'Importing';
  name: string;
  /** From 0 to 1. */
  part: number;
}

/** How many messages are published again. Those that had not been sent are not among them. */
export function countFor({ received, sent }: Counts, which: Which): number {
  return (which === 'sent' ? 0 : received) + (which === 'received' ? 0 : sent);
}

async function* only(parts: AsyncIterable<Entry[]>, which: Which, from?: string): AsyncGenerator<Entry[]> {
  for await (const entries of parts) {
    yield entries.filter(
      ({ sent, unsent, via }) =>
        !unsent &&
        (which === 'both' || sent === (which === 'sent')) &&
        (from === undefined || via.name === from),
    );
  }
}

/** The known connections of its messages; `single`: all are from the same one. */
export function namesIn(recording: Recording): { names: string[]; single: boolean } {
  const names = [...(recording.connections?.keys() ?? [])];
  const [first = ''] = names;
  return { names, single: names.length === 1 && countOf(countsOf(recording, first)) === countOf(recording) };
}

/** The numbers for the connection of that name, or for all. */
export function countsOf(recording: Recording, from?: string): Counts {
  return from === undefined ? recording : (recording.connections?.get(from) ?? none);
}

function fileName(name: string): string {
  return `${name.replace(/[^\p{L}\p{N}._-]+/gu, '-').slice(0, 60) || 'recording'}.ndjson`;
}

export function createJobs({ library, database, feed, clock, save }: Dependencies) {
  const job = signal<Job | undefined>(undefined);
  const transfer = signal<Transfer | undefined>(undefined);
  /** Of the file read last. */
  const mistakes = signal(noMistakes);
  let cancel = new AbortController();

  /** Shows a recording; ends what another one is doing. */
  function show(recording: Recording, speed: Speed): void {
    job.value?.player.stop();
    const give = (entries: Entry[]) => {
      feed.replay(entries);
      return rest();
    };
    const player = play(entriesIn(database, recording), { speed, clock, give });
    job.value = { recording, player, total: countOf(recording) };
  }

  /**
   * Publishes with the client that the session has now, and no other: a lost connection
   * ends it. `from` names the connection whose messages are published; undefined: all.
   */
  function publish(
    recording: Recording,
    session: Pick<Session, 'client'>,
    which: Which,
    speed: Speed,
    from?: string,
  ): void {
    const now = session.client.peek();
    if (!now) return;
    job.value?.player.stop();
    const again = createAgain({ client: now, current: () => session.client.peek() === now });
    const player = play(only(entriesIn(database, recording), which, from), {
      speed,
      clock,
      give: again.give,
    });
    job.value = {
      recording,
      player,
      total: countFor(countsOf(recording, from), which),
      again: { broker: withoutSecrets(now.url), outcome: again.outcome },
    };
  }

  /** Ends it, or dismisses its result. */
  function dismiss(): void {
    job.value?.player.stop();
    job.value = undefined;
  }

  async function transferring(
    what: Transfer['what'],
    name: string,
    work: () => Promise<void>,
  ): Promise<void> {
    if (transfer.value) return;
    cancel = new AbortController();
    transfer.value = { what, name, part: 0 };
    mistakes.value = noMistakes;
    const failed = what === 'Exporting' ? mark('Not exported') : mark('Not imported, or not all of it');
    await library.attempt(failed, async () => {
      try {
        await work();
      } catch (error) {
        if (!cancel.signal.aborted) throw error;
        library.said.value = () =>
          t(what === 'Exporting' ? 'Exporting “{name}” was stopped.' : 'Importing “{name}” was stopped.', {
            name: visible(name),
          });
      }
    });
    transfer.value = undefined;
  }

  const told = (part: number): void => {
    if (transfer.value) transfer.value = { ...transfer.value, part };
  };

  const exportFile = (recording: Recording): Promise<void> =>
    transferring('Exporting', recording.name, async () => {
      const total = countOf(recording);
      const parts = entriesIn(database, recording);
      const file = await exported(parts, (done) => told(done / total), cancel.signal);
      save(fileName(recording.name), file);
      library.said.value = () =>
        t('Exported {messages} of “{name}”.', { messages: messages(total), name: visible(recording.name) });
    });

  const importFile = (file: File): Promise<void> =>
    transferring('Importing', file.name, async () => {
      const { recording, release } = await library.create(file.name.replace(/\.\w{1,8}$/, ''), {});
      try {
        const bytes = (done: number) => told(done / file.size);
        const result = await imported(database, recording, piecesOf(file.stream()), bytes, cancel.signal);
        mistakes.value = { wrong: result.wrong, first: result.mistakes };
        const count = countOf(result.recording);
        if (count === 0) {
          await database.remove(recording.id);
          throw new TranslatedError(() =>
            t('no line of the file is a message as the page exports them in NDJSON'),
          );
        }
        library.said.value = () =>
          t(
            result.wrong > 0
              ? 'Imported {messages} of “{name}”, leaving out {lines} that held no message.'
              : 'Imported {messages} of “{name}”.',
            {
              messages: messages(count),
              name: visible(file.name),
              lines: plural(result.wrong, '{count} line', '{count} lines'),
            },
          );
      } finally {
        release();
      }
    });

  return {
    job,
    transfer,
    mistakes,
    show,
    publish,
    dismiss,
    exportFile,
    importFile,
    stopTransfer: () => cancel.abort(),
  };
}
