import { connect } from 'mqttwasm';
import { useEffect, useState } from 'react';

/** A client for as long as the component is there: `{ state, client, error }`. */
export function useMqtt(url) {
  const [connection, setConnection] = useState({ state: 'connecting' });

  useEffect(() => {
    const leaving = new AbortController();
    let client;
    async function open() {
      try {
        const opened = await connect(url, { signal: leaving.signal });
        if (leaving.signal.aborted) return opened.end();
        client = opened;
        const show = () => setConnection({ state: client.state, client });
        for (const event of ['connect', 'reconnect', 'close', 'end']) client.on(event, show);
        show();
      } catch (error) {
        if (!leaving.signal.aborted) setConnection({ state: 'disconnected', error });
      }
    }
    open();
    return () => {
      leaving.abort();
      client?.end();
    };
  }, [url]);

  return connection;
}

/** The newest messages of a topic filter, oldest first. */
export function useMessages(client, filter, count = 20) {
  const [messages, setMessages] = useState([]);

  useEffect(() => {
    if (!client) return;
    const keep = (message) => setMessages((before) => [...before, message].slice(-count));
    const subscribing = client.subscribe(filter, { qos: 1 }, keep);
    subscribing.catch((error) => console.error(error));
    return () => {
      subscribing.then((subscription) => subscription.unsubscribe()).catch(() => {}); // told above
    };
  }, [client, filter, count]);

  return messages;
}
