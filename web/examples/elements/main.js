import './node_modules/mqttwasm/dist/elements.js';

// Everybody who opens this page has topics of their own.
const root = `mqttwasm/gallery/${crypto.randomUUID()}`;
for (const element of document.querySelectorAll('[data-topic]')) {
  element.topic = `${root}/${element.dataset.topic}`;
  if (element.dataset.stateTopic) element.stateTopic = `${root}/${element.dataset.stateTopic}`;
}
const connection = document.querySelector('mqtt-connection');
connection.url = new URLSearchParams(location.search).get('broker') ?? 'ws://broker.emqx.io:8083/mqtt';

// A greenhouse to look at, on the same connection. Its devices say what they were told.
connection.addEventListener('mqtt-state', function begin() {
  const { client } = connection;
  if (!client?.connected) return;
  connection.removeEventListener('mqtt-state', begin);
  const tell = (topic, payload) => client.publish(`${root}/${topic}`, payload).catch(console.warn);
  for (const device of ['fan', 'lamp']) {
    const answer = (message) => void tell(`${device}/state`, message.payload);
    client.subscribe(`${root}/${device}/set`, answer).catch(console.warn);
  }

  const rounded = (value) => Math.round(value * 100) / 100;
  let n = 0;
  setInterval(() => {
    if (!client.connected) return;
    const temperature = 22 + 3 * Math.sin(n / 9) + Math.random() / 3;
    const air = { temperature: rounded(temperature), humidity: rounded(80 - temperature) };
    tell('air', JSON.stringify(air));
    tell('soil', JSON.stringify({ beds: [{ moisture: rounded(40 + 8 * Math.cos(n / 20)) }] }));
    tell('door', n % 40 < 30 ? 'closed' : 'open');
    tell('tank/north', `${180 - (n % 60)}`);
    tell('tank/south', `${rounded(90 + 30 * Math.sin(n / 15))}`);
    n++;
  }, 1000);
});
