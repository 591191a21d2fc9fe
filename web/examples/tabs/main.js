// Open it in several tabs: they are one client of the broker. Each has the
// subscriptions that it made, and the connection ends with the last tab.

import { connect } from 'mqttwasm';

const broker = new URLSearchParams(location.search).get('broker') ?? 'ws://broker.emqx.io:8083/mqtt';
const [status, button, table] = ['[role=status]', 'button', 'tbody'].map((name) =>
  document.querySelector(name),
);

const client = await connect(broker, { shared: true });
status.textContent = `connected as ${client.clientId}`;

// All tabs are the same client, so its identifier makes a topic of their own.
const prefix = `mqttwasm/tabs/${client.clientId}`;
await client.subscribe(`${prefix}/+`, { qos: 1 }, (message) => {
  const sensor = message.topic.slice(prefix.length + 1);
  const known = Array.from(table.rows).find((row) => row.cells[0].textContent === sensor);
  const row = known ?? table.insertRow();
  if (!known) row.insertCell().textContent = sensor;
  (row.cells[1] ?? row.insertCell()).textContent = message.text();
});
button.disabled = false;
button.addEventListener('click', () => {
  for (const sensor of ['inside', 'outside']) {
    client.publish(`${prefix}/${sensor}`, (20 + Math.random()).toFixed(2), { qos: 1 });
  }
});
