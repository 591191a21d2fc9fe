import { connect } from 'mqttwasm';
import { onScopeDispose, ref, shallowRef } from 'vue';

/**
 * A client for as long as the component is there, and the newest messages of a
 * topic filter. `client` and `publish` are there once it is connected.
 */
export function useMqtt(url, filter, count = 20) {
  const state = ref('connecting');
  const error = shallowRef();
  const messages = shallowRef([]);
  const client = shallowRef();
  const leaving = new AbortController();

  async function open() {
    try {
      const opened = await connect(url, { signal: leaving.signal });
      if (leaving.signal.aborted) return opened.end();
      client.value = opened;
      const show = () => {
        state.value = opened.state;
      };
      for (const event of ['connect', 'reconnect', 'close', 'end']) opened.on(event, show);
      await opened.subscribe(filter, { qos: 1 }, (message) => {
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
    client.value?.end();
  });

  return { client, state, error, messages, publish: (...args) => client.value.publish(...args) };
}
