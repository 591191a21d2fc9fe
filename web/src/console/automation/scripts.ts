/** What the page needs to keep, run and try scripts. */

import { scriptUrl } from '../../client/transport/asset-urls';
import { createTicker } from '../core/clock';
import { paintWhile } from '../core/paint';
import type { Page } from '../session/page';
import { readingsOf } from '../session/readings';
import type { Session } from '../session/session';
import { createHost, type Dependencies } from './host';
import { createLibrary } from './library';
import type { FromWorker } from './protocol';
import workerUrl from './script.worker.ts?worker&url';
import { createTrial } from './trial';
import { lineOfHang } from './words';

const start: Dependencies['start'] = (heard, broken) => {
  const worker = new Worker(scriptUrl(workerUrl), { type: 'module' });
  worker.onmessage = ({ data }: MessageEvent<FromWorker>) => heard(data);
  worker.onerror = (event) => {
    event.preventDefault();
    broken(event.message || 'error');
  };
  return { post: (message) => worker.postMessage(message), terminate: () => worker.terminate() };
};

/** Shows a notification if the user has allowed it. Some browsers allow it only to service workers. */
function notify(title: string, body: string): void {
  try {
    if (Notification.permission === 'granted') new Notification(title, { body, tag: title });
  } catch {
    // The row is marked anyway.
  }
}

export type Automation = ReturnType<typeof automationOf>;

/** For the page's `part`. */
export function automationOf({ feed }: Page) {
  const library = createLibrary();
  const clock = createTicker();
  const make = (session: Session) =>
    createHost({
      scripts: session.scripts,
      client: session.client,
      library,
      feed,
      readings: session.part(readingsOf),
      start,
      lineOfHang,
      clock,
      paint: paintWhile(() => session.shows('scripts')),
      notify,
    });
  return {
    library,
    trial: createTrial({ start, lineOfHang, clock }),
    of: (session: Session) => session.part(make),
  };
}
