import { flooder, inPage, type Work } from './work';

/** Each of 100,000 topics has come before when this begins. */
const messages = 100_000;

/** What a message costs, by how many topics there are and how many subscriptions. */
export const growth: Work[] = [
  { topics: 1, others: 0 },
  { topics: 1000, others: 0 },
  { topics: 100_000, others: 0 },
  { topics: 1, others: 1000 },
  { topics: 100_000, others: 1000 },
].map(({ topics, others }) => ({
  rows: [
    {
      id: `growth-topics-${topics}-subscriptions-${others + 1}`,
      group: 'Growth: each message',
      title: `topics ${topics.toLocaleString('en')}, subscriptions ${(others + 1).toLocaleString('en')}`,
      unit: 'µs',
      better: 'less',
    },
  ],
  contestants: ['mqttjs', 'mqttwasm'],
  rounds: 3,
  measure: (place, name) =>
    inPage(place, async (page) => {
      const url = flooder(place, { size: 64, frame: 20, topics });
      const { rate } = await page.call('receive', name, { url, qos: 0, others, messages, warmUp: messages });
      return [1e6 / rate];
    }),
}));
