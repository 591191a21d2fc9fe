/** What the page says of a connection that failed: in better words as they come. */

import { computed, signal } from '@preact/signals';
import type { Failure } from '../core/failure';
import { t } from '../core/i18n/i18n';
import type { Broker } from './config';
import type { Explanation, explain, Surroundings } from './explain';

export interface Notice extends Explanation {
  tone: 'error' | 'warning';
  /** The default broker, where the page fell back from it. */
  retry?: Broker;
  /** Tries again what failed for reasons of this page's own. */
  again?(): Promise<void>;
}

export interface NoticeDependencies {
  survey(url: string): Promise<Surroundings>;
  /** Loads what puts failures into words, which most visits have no need of. */
  explainer(): Promise<typeof explain>;
  /** The page's own address. */
  page: string;
}

export function createNotices(deps: NoticeDependencies) {
  /** A function, so that what went wrong is told anew in another language. */
  const told = signal<(() => Notice) | undefined>(undefined);
  const notice = computed(() => told.value?.());
  // A look around is good for all failures in a row.
  let surroundings: Surroundings | undefined;
  const explainer = signal<typeof explain | undefined>(undefined);

  /** In the failure's own words until better ones are there. */
  function explained(failure: Failure, seen: Surroundings): Explanation {
    return explainer.value?.(failure, seen) ?? { title: t('No connection'), advice: failure.message };
  }

  /** While there still is a network: what it is wanted for may be that there is none. */
  function loadExplainer(): void {
    if (explainer.peek()) return;
    void deps.explainer().then(
      (loaded) => {
        explainer.value = loaded;
      },
      () => {}, // its own words must do
    );
  }

  function show(next: () => Notice, mine: AbortController): void {
    if (mine.signal.aborted) return;
    told.value = next;
  }

  /** First what is known at once, then what a look around adds. */
  function report(
    failure: Failure,
    url: string,
    mine: AbortController,
    dress: (why: Explanation) => Notice,
    lost = false,
  ): void {
    const known = surroundings?.url === url ? surroundings : undefined;
    show(() => dress(explained(failure, { ...(known ?? { url, page: deps.page }), lost })), mine);
    if (known || (failure.code !== 'network' && failure.code !== 'timeout')) return;
    const shown = told.value;
    void deps.survey(url).then(
      (seen) => {
        surroundings = seen;
        if (told.value === shown) show(() => dress(explained(failure, { ...seen, lost })), mine);
      },
      () => {},
    ); // what is shown stands
  }

  /** Says something about the connection, until the next attempt. */
  function tell(words: () => Notice): void {
    told.value = words;
  }

  function dismiss(): void {
    told.value = undefined;
  }

  /** The next failure is another one. */
  function forget(): void {
    surroundings = undefined;
  }

  return { notice, loadExplainer, show, report, tell, dismiss, forget };
}
