/** What the page needs to make, keep and play recordings. */

import { createTicker } from '../core/clock';
import { saveAs } from '../core/save-as';
import type { Page } from '../session/page';
import { withoutSecrets } from '../session/settings';
import { createDatabase } from './database';
import { createJobs } from './jobs';
import { createLibrary } from './library';
import { createRecording } from './record';

export type Recordings = ReturnType<typeof recordingsOf>;

/** For the page's `part`: they go on behind a closed panel. */
export function recordingsOf({ feed, sessions }: Page) {
  /** Those that messages may come from now. */
  const brokers = () =>
    sessions.list
      .peek()
      .flatMap(({ client }) => client.peek()?.url ?? [])
      .map(withoutSecrets)
      .join(', ');
  const { storage, locks }: Partial<Pick<Navigator, 'storage' | 'locks'>> = navigator;
  const shared = { feed, brokers, clock: createTicker(), now: Date.now, storage, locks };
  const database = createDatabase();
  const library = createLibrary({ ...shared, database });
  const recording = createRecording({ ...shared, database, library });
  const jobs = createJobs({ ...shared, database, library, save: saveAs });
  return { library, recording, jobs };
}
