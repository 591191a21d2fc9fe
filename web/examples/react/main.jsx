import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { useMessages, useMqtt } from './use-mqtt.js';
import 'mqttwasm/elements';

const broker = new URLSearchParams(location.search).get('broker') ?? 'ws://broker.emqx.io:8083/mqtt';
const topic = `mqttwasm/react/${crypto.randomUUID()}`;

function App() {
  const { state, client, error } = useMqtt(broker);
  const messages = useMessages(client, topic);
  const [count, setCount] = useState(0);
  const publish = () => {
    client.publish(topic, `message ${count}`, { qos: 1 });
    setCount(count + 1);
  };
  return (
    <>
      <p role="status">{error ? error.message : state}</p>
      <button type="button" disabled={state !== 'connected'} onClick={publish}>
        Publish
      </button>
      <mqtt-connection client={client}>
        <mqtt-value topic={topic} label="Newest" />
      </mqtt-connection>
      <ul>
        {messages.map((message) => (
          <li key={message.text()}>{message.text()}</li>
        ))}
      </ul>
    </>
  );
}

createRoot(document.getElementById('app')).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
