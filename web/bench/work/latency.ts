import { all } from '../contestants/names';
import { flooder, inPage, type Row, type Work } from './work';

export function latencyRows(id: string, group: string, what: string): Row[] {
  return [
    ['p50', 'median'],
    ['p99', '99 %'],
    ['p999', '99.9 %'],
  ].map(([name, title]) => ({
    id: `${id}-${name}`,
    group,
    title: `${what}, ${title}`,
    unit: 'ms',
    better: 'less',
  }));
}

/** From publish until the message is back. */
export const latency: Work[] = [
  { rate: 100, milliseconds: 4000 },
  { rate: 5000, milliseconds: 3000 },
].map(({ rate, milliseconds }) => ({
  rows: latencyRows(`latency-${rate}`, 'Round trip', `${rate.toLocaleString('en')}/s`),
  contestants: all.filter((name) => name !== 'mqttwasm-batch'),
  measure: (place, name) =>
    inPage(place, async (page) => {
      const url = flooder(place, { echo: 1 });
      const { p50, p99, p999, missing } = await page.call('latency', name, { url, rate, milliseconds });
      if (missing > 0) throw new Error(`${name}: ${missing} messages did not come back within ten seconds`);
      return [p50, p99, p999];
    }),
}));
