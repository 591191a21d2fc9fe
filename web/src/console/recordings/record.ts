/** Recording what arrives and what is sent, until stopped. */

import { signal } from '@preact/signals';
import { topicFilter } from '../../client/checks/topics';
import { compile } from '../../client/routing/topic-filter';
import { messages } from '../core/counts';
import { mark, TranslatedError, t } from '../core/i18n/i18n';
import { formatMoment } from '../core/moment';
import type { Clock } from '../core/repeat';
import { visible } from '../core/text';
import type { Feed } from '../log/feed';
import type { Database } from './database';
import { countOf, type Library } from './library';
import { createRecorder, type Recorder } from './recorder';

export interface Dependencies {
  library: Pick<Library, 'attempt' | 'create' | 'said'>;
  database: Pick<Database, 'append'>;
  feed: Pick<Feed, 'watch'>;
  /** Names those that messages may come from now. */
  brokers(): string;
  clock: Clock;
  /** Milliseconds since 1970. */
  now(): number;
  storage: Pick<StorageManager, 'persist'> | undefined;
}

export function createRecording({ library, database, feed, brokers, clock, now, storage }: Dependencies) {
  const recorder = signal<Recorder | undefined>(undefined);
  let starting = false;
  let release = () => {};

  function end(): void {
    feed.watch(undefined);
    release();
    recorder.value = undefined;
  }

  function failed(reason: Error): void {
    const lost = recorder.value?.written.value.lost ?? 0;
    end();
    void library.attempt(mark('The recording stopped'), async () => {
      throw new TranslatedError(() =>
        t('{reason}. {messages} could not be written', { reason: reason.message, messages: messages(lost) }),
      );
    });
  }

  /** Records what the topic filter matches, or everything if it is empty. */
  async function start(filter: string): Promise<void> {
    if (starting || recorder.value) return;
    starting = true;
    await library.attempt(mark('Not recorded'), async () => {
      const selects = filter === '' ? () => true : compile(topicFilter(filter, 'topic'));
      // Not awaited: some browsers ask the user, who may take long.
      storage?.persist().catch(() => {});
      const name = formatMoment(now()).slice(0, -'.000'.length);
      const made = await library.create(name, { broker: brokers(), filter });
      release = made.release;
      const after = (milliseconds: number, call: () => void) => void clock.after(milliseconds, call);
      const started = createRecorder({ database, after, now }, made.recording, failed);
      recorder.value = started;
      feed.watch((entry) => {
        if (selects(entry.message.topic)) started.take(entry);
      });
    });
    starting = false;
  }

  async function stop(): Promise<void> {
    const stopped = recorder.value;
    if (!stopped) return;
    feed.watch(undefined);
    await stopped.stop();
    // Not if the last write failed, which was reported.
    if (recorder.value !== stopped) return;
    end();
    await library.attempt(mark('Not read'), async () => {
      const { value } = stopped.written;
      library.said.value = () =>
        t('Recorded {messages} as “{name}”.', {
          messages: messages(countOf(value)),
          name: visible(value.name),
        });
    });
  }

  return { recorder, start, stop };
}
