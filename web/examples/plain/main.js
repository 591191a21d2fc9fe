import './node_modules/mqttwasm/dist/elements.js';
import { connect } from './node_modules/mqttwasm/dist/index.js';

const broker = new URLSearchParams(location.search).get('broker') ?? 'ws://broker.emqx.io:8083/mqtt';
const topic = `mqttwasm/plain/${crypto.randomUUID()}`;
const [status, button, list] = ['[role=status]', 'button', 'ul'].map((name) => document.querySelector(name));

try {
  const client = await connect(broker);
  const show = () => {
    status.textContent = client.state;
    button.disabled = !client.connected;
  };
  for (const event of ['connect', 'reconnect', 'close', 'end']) client.on(event, show);
  await client.subscribe(topic, { qos: 1 }, (message) => {
    const item = document.createElement('li');
    item.textContent = message.text();
    list.append(item);
  });
  let count = 0;
  button.addEventListener('click', () => client.publish(topic, `message ${count++}`, { qos: 1 }));
  // An element on the same connection.
  const newest = document.querySelector('mqtt-value');
  newest.topic = topic;
  document.querySelector('mqtt-connection').client = client;
  show();
} catch (error) {
  status.textContent = error.message;
}
