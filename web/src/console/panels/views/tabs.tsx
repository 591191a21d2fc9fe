/** The views, which have one place between them. */

import type { Signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useId, useRef } from 'preact/hooks';
import { mark, t } from '../../core/i18n/i18n';
import type { View } from '../../core/view';
import type { Session } from '../../session/session';
import { onDemand } from '../../ui/on-demand';
import { TabList } from '../../ui/tabs';
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
  const view = chosen.value;
  // A part stays once it was looked at: what it gathers goes on.
  const visited = useRef(new Set<View>()).current.add(view);

  const ids = (name: View) => ({ tab: `${id}-${name}`, panel: `${id}-${name}-panel` });

  const panelFor = (name: View, content: ComponentChildren) => (
    <div
      role="tabpanel"
      id={ids(name).panel}
      class="views-panel"
      aria-labelledby={ids(name).tab}
      // Not out of the layout: a list keeps its place and its size.
      data-shown={name === view}
    >
      {content}
    </div>
  );

  return (
    <div class="views stack">
      <TabList
        label={t('Show')}
        tabs={views.map(([name, label]) => [name, t(label)] as const)}
        chosen={view}
        ids={ids}
        onChoose={(name) => {
          chosen.value = name;
        }}
      />
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
