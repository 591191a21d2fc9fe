import type { Open } from '../contestants/contestant';
import { median } from '../report/stats';

const ignored = { message: () => {}, frame: () => {} };

/** Milliseconds to connect and subscribe with a warm library. */
export async function connectWarm(
  open: Open,
  { url, times }: { url: string; times: number },
): Promise<number> {
  const taken: number[] = [];
  for (let n = 0; n <= times; n++) {
    const begin = performance.now();
    const session = await open({ url, payloads: false }, ignored);
    await session.subscribe('bench/#', 0);
    if (n > 0) taken.push(performance.now() - begin);
    await session.close();
  }
  return median(taken);
}

/** Milliseconds from opening the page until its own first message is back. */
export async function firstMessage(open: Open, { url }: { url: string }): Promise<number> {
  let arrived = (): void => {};
  const first = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const session = await open({ url, payloads: true }, { message: () => arrived(), frame: () => {} });
  await session.subscribe('bench/#', 0);
  session.publish('bench/first', 'messages: 0', 0, () => {});
  await first;
  return performance.now();
}
