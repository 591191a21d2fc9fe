/** Measures the page's main thread during a flood. */

import type { Browser, CDPSession, Page } from '@playwright/test';

export interface Task {
  /** Wall-clock milliseconds; other processes on the machine lengthen it. */
  wall: number;
  /** Milliseconds of CPU time. */
  cpu: number;
}

export interface Sample {
  /** Main-thread tasks over 20 ms. */
  tasks: Task[];
  /** CPU share of all tasks, 0 to 1. */
  busy: number;
  /** Milliseconds from each key press to the end of the frame that shows it. */
  keys: number[];
}

interface TraceEvent {
  name: string;
  pid: number;
  tid: number;
  ts: number;
  /** Microseconds. */
  dur?: number;
  tdur?: number;
  args?: { name?: string };
}

type Keys = { keys: number[] };

/** Call before opening the page. */
export async function installProbe(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const probe = Object.assign(window, { keys: [] as number[] });
    addEventListener('keydown', ({ timeStamp }) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => probe.keys.push(performance.now() - timeStamp);
      // A task posted from a frame callback runs once that frame has been drawn.
      requestAnimationFrame(() => port2.postMessage(null));
    });
  });
}

/** Starts a measurement; the returned function ends it. */
export async function measure(browser: Browser, page: Page): Promise<() => Promise<Sample>> {
  await page.evaluate(() => Object.assign(window, { keys: [] }));
  await browser.startTracing(page, { categories: ['toplevel', '__metadata'] });
  const begin = performance.now();
  return async () => {
    const elapsed = performance.now() - begin;
    const keys = await page.evaluate(() => (window as unknown as Keys).keys);
    const tasks = mainTasks(await browser.stopTracing());
    const busy = tasks.reduce((sum, { cpu }) => sum + cpu, 0) / elapsed;
    return { tasks: tasks.filter(({ wall }) => wall > 20), busy, keys };
  };
}

/** The page's main thread is the busiest one of all renderers. */
function mainTasks(trace: Buffer): Task[] {
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] };
  const threads = new Map<string, Task[]>();
  const key = ({ pid, tid }: TraceEvent) => `${pid} ${tid}`;
  for (const event of traceEvents) {
    if (event.args?.name === 'CrRendererMain') threads.set(key(event), []);
  }
  for (const event of traceEvents) {
    if (!event.name.endsWith('::RunTask')) continue;
    const { dur = 0, tdur = 0 } = event;
    threads.get(key(event))?.push({ wall: dur / 1000, cpu: tdur / 1000 });
  }
  const work = (tasks: Task[]) => tasks.reduce((sum, { cpu }) => sum + cpu, 0);
  return [...threads.values()].sort((a, b) => work(b) - work(a))[0] ?? [];
}

export interface Memory {
  heap: number;
  buffers: number;
}

/** Bytes still alive after garbage collection, in the JavaScript heap and in ArrayBuffers. */
export async function memoryOf(session: CDPSession): Promise<Memory> {
  await session.send('HeapProfiler.collectGarbage');
  const usage = await session.send('Runtime.getHeapUsage');
  return { heap: usage.usedSize, buffers: usage.backingStorageSize };
}
