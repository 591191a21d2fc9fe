/** The workbench for a session's topics, made when it is first needed. */

import { paintWhile } from '../core/paint';
import { pageTiming } from '../core/timing';
import { createWorkbench } from '../topics/workbench';
import type { Session } from './session';

/** For `part`: what is unfolded and charted is kept while another session's topics are shown. */
export const benchOf = ({ topics, shows, birthBefore, choices }: Session) =>
  createWorkbench(topics, {
    frame: pageTiming.frame,
    paint: paintWhile(() => shows('topics')),
    birthBefore,
    recall: choices.recall,
  });
