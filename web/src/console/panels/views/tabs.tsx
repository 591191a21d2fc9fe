/** The views, which have one place between them. */

import type { Signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useId, useRef } from 'preact/hooks';
import { mark, t } from '../../core/i18n/i18n';
import type { View } from '../../core/view';
import type { Session } from '../../session/session';
import { onDemand } from '../../ui/on-demand';
import './tabs.css';

const views: [view: View, label: string][] = [
  ['messages', mark('Messages')],
  ['topics', mark('Topics')],
  ['broker', mark('Broker')],
  ['packets', mark('Packets')],
];

interface PartProps {
  session: Session;
  shown: boolean;
}

const loaded = {
  topics: onDemand<PartProps>(async () => (await import('../topics/panel')).TopicsPanel),
  broker: onDemand<PartProps>(async () => (await import('../broker/broker')).BrokerPanel),
  packets: onDemand<PartProps>(async () => (await import('../packets/packets')).PacketsPanel),
};

export function Tabs({
  view: chosen,
  session,
  children,
}: {
  view: Signal<View>;
  session: Session;
  /** The feed. */
  children: ComponentChildren;
}) {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const view = chosen.value;
  // A part stays once it was looked at: what it gathers goes on.
  const visited = useRef(new Set<View>()).current.add(view);

  function onKeyDown(event: KeyboardEvent) {
    const at = views.findIndex(([name]) => name === view);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: -1 }[event.key];
    const next = to === undefined ? undefined : views.at(to % views.length);
    if (!next) return;
    event.preventDefault();
    chosen.value = next[0];
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
      <div ref={list} class="views-tabs" role="tablist" aria-label={t('Show')} onKeyDown={onKeyDown}>
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
              chosen.value = name;
            }}
          >
            {t(label)}
          </button>
        ))}
      </div>
      {panelFor('messages', children)}
      {(['topics', 'broker', 'packets'] as const).map((name) => {
        const Part = loaded[name];
        return panelFor(
          name,
          visited.has(name) && <Part key={session.id} session={session} shown={view === name} />,
        );
      })}
    </div>
  );
}
