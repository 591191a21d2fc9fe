import { flooder, inPage, type Work } from './work';

/** Enough for each of 100,000 topics to occur before the measurement. */
const messages = 100_000;

/** Cost of a message, by the number of topics and of subscriptions. */
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
