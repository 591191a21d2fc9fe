/** The page's notices about a failed connection, with a better explanation once it is loaded. */

import { computed, signal } from '@preact/signals';
import type { Failure } from '../core/failure';
import { t } from '../core/i18n/i18n';
import type { Broker } from './config';
import type { Explanation, explain, Surroundings } from './explain';

export interface Notice extends Explanation {
  tone: 'error' | 'warning';
  /** The default broker, if the page fell back from it. */
  retry?: Broker;
  /** Tries again what failed because of this page. */
  again?(): Promise<void>;
}

export interface NoticeDependencies {
  survey(url: string): Promise<Surroundings>;
  /** Loads the explanations, which most visits do not need. */
  explainer(): Promise<typeof explain>;
  /** The page's own address. */
  page: string;
}

export function createNotices(deps: NoticeDependencies) {
  /** A function, so that the notice follows the language. */
  const told = signal<(() => Notice) | undefined>(undefined);
  const notice = computed(() => told.value?.());
  // One survey serves consecutive failures.
  let surroundings: Surroundings | undefined;
  const explainer = signal<typeof explain | undefined>(undefined);

  /** With the failure's own message until the explanation is loaded. */
  function explained(failure: Failure, seen: Surroundings): Explanation {
    return explainer.value?.(failure, seen) ?? { title: t('No connection'), advice: failure.message };
  }

  /** Loaded early, since it may be needed when the network is gone. */
  function loadExplainer(): void {
    if (explainer.peek()) return;
    void deps.explainer().then(
      (loaded) => {
        explainer.value = loaded;
      },
      () => {}, // the failure's own message is shown
    );
  }

  function show(next: () => Notice, mine: AbortController): void {
    if (mine.signal.aborted) return;
    told.value = next;
  }

  /** Reports what is known at once, then what a survey adds. */
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
    ); // the notice stays as it is
  }

  /** Shows a notice about the connection, until the next attempt. */
  function tell(words: () => Notice): void {
    told.value = words;
  }

  function dismiss(): void {
    told.value = undefined;
  }

  /** Forgets the survey: the next failure is a new one. */
  function forget(): void {
    surroundings = undefined;
  }

  return { notice, loadExplainer, show, report, tell, dismiss, forget };
}
