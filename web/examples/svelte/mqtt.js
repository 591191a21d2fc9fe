import { connect } from 'mqttwasm';
import { readable } from 'svelte/store';

/**
 * A store of `{ state, messages, client, error }`: it is connected as long as
 * somebody is subscribed to it, and has the newest messages of a topic filter.
 */
export function mqtt(url, filter, count = 20) {
  return readable({ state: 'connecting', messages: [] }, (_set, update) => {
    const leaving = new AbortController();
    let client;
    async function open() {
      try {
        const opened = await connect(url, { signal: leaving.signal });
        if (leaving.signal.aborted) return opened.end();
        client = opened;
        const show = () => update((now) => ({ ...now, state: client.state, client }));
        for (const event of ['connect', 'reconnect', 'close', 'end']) client.on(event, show);
        await client.subscribe(filter, { qos: 1 }, (message) => {
          update((now) => ({ ...now, messages: [...now.messages, message].slice(-count) }));
        });
        show();
      } catch (error) {
        update((now) => ({ ...now, state: 'disconnected', error }));
      }
    }
    open();
    return () => {
      leaving.abort();
      client?.end();
    };
  });
}
