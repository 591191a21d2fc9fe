/** What the page needs to make, keep and play recordings. */

import { createTicker } from '../core/clock';
import { saveAs } from '../core/save-as';
import type { Feed } from '../log/feed';
import { createDatabase } from './database';
import { createJobs } from './jobs';
import { createLibrary } from './library';
import { createRecording } from './record';

export type Recordings = ReturnType<typeof createRecordings>;

/** `brokers` names those that messages may come from now. */
export function createRecordings(feed: Feed, brokers: () => string) {
  const { storage, locks }: Partial<Pick<Navigator, 'storage' | 'locks'>> = navigator;
  const shared = { feed, brokers, clock: createTicker(), now: Date.now, storage, locks };
  const database = createDatabase();
  const library = createLibrary({ ...shared, database });
  const recording = createRecording({ ...shared, database, library });
  const jobs = createJobs({ ...shared, database, library, save: saveAs });
  return { library, recording, jobs };
}
