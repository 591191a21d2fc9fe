import { useEffect, useState } from 'preact/hooks';
import { pageTiming } from '../../core/timing';
import { createLookup } from '../../topics/lookup';
import type { Model, TopicNode } from '../../topics/model';

/** Milliseconds of searching in one frame, which leave time for typing. */
const slice = 4;

export interface Found {
  nodes: readonly TopicNode[];
  /** The number of matches so far. */
  count: number;
}

const { frame, now } = pageTiming;
const nothing: Found = { nodes: [], count: 0 };

/** The topics that match best what is typed, none if nothing is; better ones appear as they are found. */
export function useLookup(model: Model, typed: string, most: number): Found {
  const [found, setFound] = useState(nothing);
  useEffect(() => {
    let ended = typed === '';
    if (ended) setFound(nothing);
    const lookup = createLookup(model, typed, most);
    const look = () => {
      if (ended) return;
      ended = lookup.advance(now, now() + slice);
      setFound({ nodes: lookup.nearest, count: lookup.found });
      frame(look);
    };
    look();
    return () => {
      ended = true;
    };
  }, [model, typed, most]);
  return found;
}
