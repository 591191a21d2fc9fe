/** What the page's main thread does while it is flooded. */

import type { Browser, CDPSession, Page } from '@playwright/test';

export interface Task {
  /** Milliseconds by the clock, which other programs of the machine lengthen. */
  wall: number;
  /** Milliseconds of processor time. */
  cpu: number;
}

export interface Sample {
  /** Of the main thread, those over 20 ms. */
  tasks: Task[];
  /** How much of a processor all tasks took, from 0 to 1. */
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

/** Before the page is opened. */
export async function installProbe(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const probe = Object.assign(window, { keys: [] as number[] });
    addEventListener('keydown', ({ timeStamp }) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => probe.keys.push(performance.now() - timeStamp);
      // A task that is asked for in a frame runs when the frame has been drawn.
      requestAnimationFrame(() => port2.postMessage(null));
    });
  });
}

/** Begins a measurement; what is returned ends it. */
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

/** The tasks of the busiest main thread of all renderers, which is the page's. */
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

/** Bytes that live after a collection: of the JavaScript heap, and of ArrayBuffers. */
export async function memoryOf(session: CDPSession): Promise<Memory> {
  await session.send('HeapProfiler.collectGarbage');
  const usage = await session.send('Runtime.getHeapUsage');
  return { heap: usage.usedSize, buffers: usage.backingStorageSize };
}
