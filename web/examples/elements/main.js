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
connection.addEventListener(
  'mqtt-state',
  async () => {
    const { client } = connection;
    for (const device of ['fan', 'lamp']) {
      await client.subscribe(`${root}/${device}/set`, (message) => {
        client.publish(`${root}/${device}/state`, message.payload, { retain: true });
      });
    }
    const rounded = (value) => Math.round(value * 100) / 100;
    let n = 0;
    const measure = () => {
      if (!client.connected) return;
      const temperature = 22 + 3 * Math.sin(n / 9) + Math.random() / 3;
      const measured = {
        air: JSON.stringify({ temperature: rounded(temperature), humidity: rounded(80 - temperature) }),
        soil: JSON.stringify({ beds: [{ moisture: rounded(40 + 8 * Math.cos(n / 20)) }] }),
        door: n % 40 < 30 ? 'closed' : 'open',
        'tank/north': `${180 - (n % 60)}`,
        'tank/south': `${rounded(90 + 30 * Math.sin(n / 15))}`,
      };
      for (const [topic, payload] of Object.entries(measured)) client.publish(`${root}/${topic}`, payload);
      n++;
    };
    setInterval(measure, 1000);
  },
  { once: true },
);
