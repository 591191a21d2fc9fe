import { connect } from 'mqttwasm';
import { onScopeDispose, ref, shallowRef } from 'vue';

/**
 * A client for as long as the component is there, and the newest messages of a
 * topic filter. `publish` is the client's, once it is connected.
 */
export function useMqtt(url, filter, count = 20) {
  const state = ref('connecting');
  const error = shallowRef();
  const messages = shallowRef([]);
  const leaving = new AbortController();
  let client;

  async function open() {
    try {
      const opened = await connect(url, { signal: leaving.signal });
      if (leaving.signal.aborted) return opened.end();
      client = opened;
      const show = () => {
        state.value = client.state;
      };
      for (const event of ['connect', 'reconnect', 'close', 'end']) client.on(event, show);
      await client.subscribe(filter, { qos: 1 }, (message) => {
        messages.value = [...messages.value, message].slice(-count);
      });
      show();
    } catch (failure) {
      error.value = failure;
      state.value = 'disconnected';
    }
  }
  open();

  onScopeDispose(() => {
    leaving.abort();
    client?.end();
  });

  return { state, error, messages, publish: (...args) => client.publish(...args) };
}
