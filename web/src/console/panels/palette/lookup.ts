import { useEffect, useState } from 'preact/hooks';
import { pageTiming } from '../../core/timing';
import { createLookup } from '../../topics/lookup';
import type { Model, TopicNode } from '../../topics/model';

/** Milliseconds of looking in one frame, which leave it time for what is typed. */
const slice = 4;

export interface Found {
  nodes: readonly TopicNode[];
  /** Of all that match, as far as it has looked. */
  count: number;
}

const { frame, now } = pageTiming;
const nothing: Found = { nodes: [], count: 0 };

/** The topics nearest to what is typed, none for nothing typed; nearer ones come as it finds them. */
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
