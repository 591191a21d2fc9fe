import { all } from '../contestants/names';
import { flooder, inPage, type Work } from './work';

const group = '10,000/s arrive';
const rate = 10_000;
const milliseconds = 2000;

/** How busy a steady stream keeps a page with a listener and nothing to render. */
export const busy: Work[] = [1, 20].map((frame) => {
  const what = frame === 1 ? 'one in a frame' : `${frame} in a frame`;
  return {
    rows: [
      { id: `busy-${frame}`, group, title: `${what}: main thread busy`, unit: '%', better: 'less' },
      { id: `busy-${frame}-wait`, group, title: `${what}: longest wait`, unit: 'ms', better: 'less' },
      { id: `busy-${frame}-rate`, group, title: `${what}: arrived`, unit: 'msg/s', better: 'more' },
    ],
    contestants: all,
    measure: (place, name) =>
      inPage(place, async (page) => {
        const url = flooder(place, { size: 64, frame, rate });
        await page.call('start', name, { url, qos: 0 });
        await page.call('flood', (rate * (2 * milliseconds + 1500)) / 1000);
        await page.call('reached', rate / 2);
        const [from, before] = [await page.busy(), await page.call('count')];
        await new Promise((resolve) => setTimeout(resolve, milliseconds));
        const [to, after] = [await page.busy(), await page.call('count')];
        // Measured afterwards, because measuring keeps the page busy too.
        const wait = await page.call('longestWait', milliseconds);
        await page.call('finish');
        const seconds = to.clock - from.clock;
        return [(100 * (to.busy - from.busy)) / seconds, wait, (after - before) / seconds];
      }),
  };
});
