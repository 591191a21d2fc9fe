/** The feed and the topics, which have one place between them. */

import type { ComponentChildren, ComponentType } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { Props as PanelProps } from './panel';
import type { Topics, View } from './store';
import './tabs.css';

const views: [view: View, label: string][] = [
  ['messages', 'Messages'],
  ['topics', 'Topics'],
];

export function Tabs({
  topics,
  toFailure,
  children,
}: PanelProps & {
  /** The feed. */
  children: ComponentChildren;
}) {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const view = topics.view.value;

  function onKeyDown(event: KeyboardEvent) {
    const at = views.findIndex(([name]) => name === view);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: -1 }[event.key];
    const next = to === undefined ? undefined : views.at(to % views.length);
    if (!next) return;
    event.preventDefault();
    topics.view.value = next[0];
    list.current?.querySelector<HTMLElement>(`[data-view="${next[0]}"]`)?.focus();
  }

  const panelFor = (name: View, content: ComponentChildren) => (
    <div
      role="tabpanel"
      id={`${id}-${name}-panel`}
      class="views-panel"
      aria-labelledby={`${id}-${name}`}
      // Not out of the layout: a list keeps its place and its size.
      data-shown={name === view}
    >
      {content}
    </div>
  );

  return (
    <div class="views">
      <div ref={list} class="views-tabs" role="tablist" aria-label="Show" onKeyDown={onKeyDown}>
        {views.map(([name, label]) => (
          <button
            key={name}
            type="button"
            role="tab"
            id={`${id}-${name}`}
            data-view={name}
            aria-controls={`${id}-${name}-panel`}
            aria-selected={name === view}
            tabIndex={name === view ? 0 : -1}
            onClick={() => {
              topics.view.value = name;
            }}
          >
            {label}
          </button>
        ))}
      </div>
      {panelFor('messages', children)}
      {panelFor('topics', <Lazy topics={topics} toFailure={toFailure} />)}
    </div>
  );
}

/** Loads the panel when it is first asked for. */
function Lazy({ topics, toFailure }: { topics: Topics; toFailure: PanelProps['toFailure'] }) {
  const [Panel, setPanel] = useState<ComponentType<PanelProps>>();
  const [failed, setFailed] = useState(false);
  const wanted = topics.view.value === 'topics';

  useEffect(() => {
    if (!wanted || Panel || failed) return;
    import('./panel').then(
      (loaded) => setPanel(() => loaded.TopicsPanel),
      () => setFailed(true),
    );
  }, [wanted, Panel, failed]);

  if (Panel) return <Panel key={topics.id} topics={topics} toFailure={toFailure} />;
  return (
    <section class="panel views-wait" aria-label="Topics">
      {failed ? (
        <>
          <p role="alert">This part of the page could not be loaded.</p>
          <button type="button" class="button small" onClick={() => setFailed(false)}>
            Try again
          </button>
        </>
      ) : (
        wanted && <p>Loading…</p>
      )}
    </section>
  );
}
