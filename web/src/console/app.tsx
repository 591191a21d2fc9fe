import { ConnectionPanel, ConnectionStatus } from './connection/panel';
import { RoundTrip } from './connection/round-trip';
import { FeedPanel } from './feed/panel';
import { PublishPanel } from './publish/panel';
import type { State } from './state';
import { SubscribePanel } from './subscribe/panel';
import { formatCount } from './text';
import { Tabs } from './topics/tabs';

function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
      <rect class="logo-ground" width="32" height="32" rx="8" />
      <path class="logo-wave" d="M8 9a15 15 0 0 1 15 15M8 16a8 8 0 0 1 8 8" />
      <circle class="logo-source" cx="9.2" cy="22.8" r="2.4" />
    </svg>
  );
}

/** The ways around a page that is one column. */
function Jumps({ state }: { state: State }) {
  return (
    <nav class="jumps" aria-label="On this page">
      <a href="#publish">Publish</a>
      <a href="#subscribe">Subscribe</a>
      <a href="#messages">Messages {formatCount(state.feed.view.value.received)}</a>
    </nav>
  );
}

export function App({ state }: { state: State }) {
  const version = state.connection.config.value.version;
  return (
    <>
      <header class="top">
        <h1 class="brand" title={version && `Version ${version}`}>
          <Logo />
          mqttwasm
        </h1>
        <ConnectionStatus connection={state.connection} />
        <RoundTrip connection={state.connection} />
        <Jumps state={state} />
      </header>
      <main class="page">
        <ConnectionPanel state={state} />
        <div class="side">
          <PublishPanel publisher={state.publisher} />
          <SubscribePanel subscriptions={state.subscriptions} />
        </div>
        <Tabs topics={state.topics} connection={state.connection} toFailure={state.toFailure}>
          <FeedPanel feed={state.feed} phase={state.connection.status} filters={state.filters} />
        </Tabs>
      </main>
    </>
  );
}
