/** The page below its head: topics, messages and inspector side by side, and the publish form. */

import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useId, useRef } from 'preact/hooks';
import { mark, t } from '../../core/i18n/i18n';
import { type Drawer, drawers, isDrawer, middleOf, type View } from '../../core/view';
import { goTo, type Page, type PartProps } from '../../session/page';
import { Button, IconButton } from '../../ui/button';
import { onDemand } from '../../ui/on-demand';
import { Split } from '../../ui/split';
import { TabList } from '../../ui/tabs';
import { FeedPanel, FeedTools } from '../feed/panel';
import { FeedStatus } from '../feed/status';
import { PublishPanel } from '../publish/panel';
import { SubscribePanel } from '../subscribe/panel';
import { Inspector } from './inspector';
import './workspace.css';

interface ViewProps extends PartProps {
  shown: boolean;
}

const Topics = onDemand<ViewProps>(async () => (await import('../topics/panel')).TopicsPanel);
const Charts = onDemand<ViewProps>(async () => (await import('../topics/panel')).ChartPane);

const ViewNav = onDemand<{ page: Page }>(async () => (await import('./view-nav')).ViewNav);

type Loaded = keyof typeof loaded;

const labels = {
  messages: mark('Messages'),
  broker: mark('Broker'),
  packets: mark('Packets'),
  scripts: mark('Scripts'),
  fleet: mark('Fleet'),
} satisfies Record<Loaded | 'messages', string>;

const loaded = {
  broker: onDemand<ViewProps>(async () => (await import('../broker/broker')).BrokerPanel),
  packets: onDemand<ViewProps>(async () => (await import('../packets/packets')).PacketsPanel),
  scripts: onDemand<ViewProps>(async () => (await import('../scripts/panel')).ScriptsPanel),
  fleet: onDemand<ViewProps>(async () => (await import('../fleet/fleet')).FleetPanel),
};

function Pane({ name, page, children }: { name: View; page: Page; children: ComponentChildren }) {
  return (
    // Hidden panes stay in the layout, so that a list keeps its scroll position and size.
    <div class="pane fill surface" data-pane={name} data-shown={page.shows(name)}>
      {children}
    </div>
  );
}

function Middle({ page, session }: PartProps) {
  const id = useId();
  const recording = useSignal<boolean | undefined>(undefined);
  const view = middleOf(page.view.value);
  const visited = useRef(new Set<View>()).current.add(view);
  const ids = (name: View) => ({ tab: `${id}-${name}`, panel: `${id}-${name}-panel` });
  const { shows } = page;
  const narrow = page.screen.value === 'narrow';
  const others = (Object.keys(loaded) as Loaded[]).filter((name) => narrow || !isDrawer(name));

  const panelFor = (name: View, content: ComponentChildren) => (
    <div
      role="tabpanel"
      id={ids(name).panel}
      class="middle-panel fill surface"
      aria-labelledby={ids(name).tab}
      data-shown={shows(name)}
    >
      {content}
    </div>
  );

  return (
    <div class="middle fill" data-view={page.view.value}>
      <div class="middle-head flow surface between">
        <TabList
          label={t('Show')}
          tabs={(['messages', ...others] as const).map((name) => [name, t(labels[name])])}
          chosen={view}
          ids={ids}
          onChoose={page.show}
        />
        {shows('messages') && <FeedTools feed={page.feed} recording={recording} />}
      </div>
      {panelFor('messages', <FeedPanel page={page} session={session} recording={recording} />)}
      {others.map((name) => {
        const Part = loaded[name];
        return panelFor(
          name,
          visited.has(name) && <Part key={session.id} page={page} session={session} shown={shows(name)} />,
        );
      })}
      <Charts page={page} session={session} shown={shows('messages')} />
    </div>
  );
}

interface DrawerProps extends PartProps {
  name: Drawer;
  onClose(): void;
}

function DrawerPane({ page, session, name, onClose }: DrawerProps) {
  const Part = loaded[name];
  return (
    // biome-ignore lint/a11y/useSemanticElements: no fields of a form
    <div id="drawer" class="drawer fill surface" role="group" aria-label={t(labels[name])} tabIndex={-1}>
      <Part key={`${name} ${session.id}`} page={page} session={session} shown />
      <IconButton
        class="drawer-close"
        label={t('Close {name}', { name: t(labels[name]) })}
        onClick={onClose}
      />
    </div>
  );
}

function DrawerButtons({ page }: { page: Page }) {
  const open = page.drawer.value;
  return drawers.map((name) => (
    <Button
      key={name}
      small
      look="quiet"
      data-tab={name}
      aria-expanded={name === open}
      aria-controls={name === open ? 'drawer' : undefined}
      onClick={() => (name === open ? page.closeDrawer() : goTo(page, name, '#drawer'))}
    >
      {t(labels[name])} <span aria-hidden="true">{name === open ? '▾' : '▴'}</span>
    </Button>
  ));
}

export function Workspace({ page, session }: PartProps) {
  const { id } = session;
  const screen = page.screen.value;
  const wide = screen === 'wide';
  const narrow = screen === 'narrow';
  const drawer = narrow ? undefined : page.drawer.value;
  /** The focus goes to the button that opens it again. */
  function closeDrawer(): void {
    page.closeDrawer();
    document.querySelector<HTMLElement>(`[data-tab="${drawer}"]`)?.focus();
  }
  const inspector = (wide || page.inspected.value.length > 0) && <Inspector page={page} session={session} />;
  return (
    <>
      <main class="workspace fill">
        <Split
          apart
          rows
          name="publish"
          label={t('Height of the publish form')}
          size="fit-content(60%)"
          most={70}
          first={
            <Split
              apart
              name="sides"
              label={t('Width of the topics')}
              sized="first"
              size="minmax(0, clamp(16rem, 21%, 24rem))"
              share={21}
              least={12}
              most={50}
              first={
                <Pane name="topics" page={page}>
                  <Split
                    rows
                    name="subscriptions"
                    label={t('Height of the subscriptions')}
                    size="fit-content(55%)"
                    least={10}
                    first={<Topics key={id} page={page} session={session} shown={page.shows('topics')} />}
                    second={<SubscribePanel key={id} subscriptions={session.subscriptions} />}
                  />
                </Pane>
              }
              second={
                <Split
                  apart
                  name="inspector"
                  label={t('Width of the inspector')}
                  size="minmax(0, clamp(20rem, 36%, 36rem))"
                  share={36}
                  first={
                    <>
                      <Split
                        apart
                        rows
                        name="drawer"
                        label={t('Height of the drawer')}
                        size="minmax(0, 55%)"
                        share={55}
                        first={<Middle page={page} session={session} />}
                        second={
                          drawer && (
                            <DrawerPane page={page} session={session} name={drawer} onClose={closeDrawer} />
                          )
                        }
                        onFold={closeDrawer}
                      />
                      {!wide && inspector}
                    </>
                  }
                  second={wide ? inspector : undefined}
                />
              }
            />
          }
          second={
            <Pane name="publish" page={page}>
              <PublishPanel key={id} page={page} session={session} />
            </Pane>
          }
        />
      </main>
      <FeedStatus feed={page.feed} shown={page.shows('messages')}>
        {!narrow && <DrawerButtons page={page} />}
      </FeedStatus>
      {narrow && <ViewNav page={page} />}
    </>
  );
}
