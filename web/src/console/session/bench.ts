/** The workbench for a session's topics, which is made when it is first needed. */

import { paintWhile } from '../core/paint';
import { pageTiming } from '../core/timing';
import { createWorkbench } from '../topics/workbench';
import type { Session } from './session';

/** To be given to `part`: what somebody has unfolded and charted waits while another session's topics are shown. */
export const benchOf = ({ topics, shows, birthBefore }: Session) =>
  createWorkbench(topics, {
    frame: pageTiming.frame,
    paint: paintWhile(() => shows('topics')),
    birthBefore,
  });
