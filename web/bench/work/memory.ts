import { flooder, inPage, type Row, type Work } from './work';

const step = 100_000;
const total = 1_000_000;

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

/** What the page's process has for itself, and whether a message costs more later on. */
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
      await page.call('flood', total);
      const marks = [1000, step, total - step, total].map((messages) => page.call('reached', messages));
      await marks[1];
      const early = await place.browser.memory();
      const [first, afterFirst, beforeLast, last] = (await Promise.all(marks)) as [
        number,
        number,
        number,
        number,
      ];
      const late = await place.browser.memory();
      await page.call('finish');
      await page.call('close');
      // Nothing tells when memory goes back to the system; it is soon or never.
      await page.collectGarbage();
      await new Promise((resolve) => setTimeout(resolve, 3000));
      await page.collectGarbage();
      const closed = await place.browser.memory();
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
