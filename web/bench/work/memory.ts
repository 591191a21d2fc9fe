import { flooder, inPage, type Row, type Work } from './work';

const step = 100_000;
const total = 1_000_000;
/**
 * Milliseconds after which unused memory has gone back to the system; this client keeps its worker for 10 s.
 */
const patience = 12_000;

const megabytes = (id: string, title: string): Row => ({
  id: `memory-${id}`,
  group: 'A million messages',
  title,
  unit: 'MB',
  better: 'less',
});

const cost = (id: string, title: string): Row => ({
  id: `growth-received-${id}`,
  group: 'A million messages',
  title,
  unit: 'µs',
  better: 'less',
});

/** Memory of the page's process, and whether later messages cost more. */
export const memory: Work = {
  rows: [
    megabytes('before', 'memory before'),
    megabytes('100k', 'memory after 100,000'),
    megabytes('1m', 'memory after 1,000,000'),
    megabytes('closed', 'memory when closed and collected'),
    cost('100k', 'each of the first 100,000'),
    cost('1m', 'each of the last 100,000'),
  ],
  contestants: ['bare', 'mqttjs', 'paho', 'mqttwasm'],
  rounds: 1,
  measure: (place, name) =>
    inPage(place, async (page) => {
      const before = await place.browser.memory();
      const url = flooder(place, { size: 64, frame: 20 });
      await page.call('start', name, { url, qos: 0 });
      /** When message `from` and message `to` arrived. */
      const flood = async (messages: number, from: number, to: number): Promise<[number, number]> => {
        await page.call('flood', messages);
        const times = [from, to].map((count) => page.call('reached', count));
        await page.call('finish');
        return (await Promise.all(times)) as [number, number];
      };
      /** Measured after garbage collection: uncollected memory varies from moment to moment. */
      const used = async (): Promise<number> => {
        await page.collectGarbage();
        return place.browser.memory();
      };
      const [first, afterFirst] = await flood(step, 1000, step);
      const early = await used();
      const rest = total - step;
      const [beforeLast, last] = await flood(rest, rest - step, rest);
      const late = await used();
      await page.call('close');
      await new Promise((resolve) => setTimeout(resolve, patience));
      const closed = await used();
      const each = (from: number, to: number) => (to - from) * 1000;
      return [
        before,
        early,
        late,
        closed,
        each(first, afterFirst) / (step - 1000),
        each(beforeLast, last) / step,
      ];
    }),
};
