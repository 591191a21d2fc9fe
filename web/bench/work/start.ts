import { all } from '../contestants/names';
import { flooder, inPage, type Place, type Row, type Work } from './work';

const row = (id: string, title: string): Row => ({ id, group: 'Start', title, unit: 'ms', better: 'less' });

/** With a warm library. */
const connect: Work = {
  rows: [row('start-connect', 'connect and subscribe, warm')],
  contestants: all.filter((name) => name !== 'mqttwasm-batch'),
  rounds: 3,
  measure: (place, name) =>
    inPage(place, async (page) => [await page.call('connectWarm', name, { url: flooder(place), times: 20 })]),
};

/** From opening a page with nothing but the client until its own first message is back. */
const first: Work = {
  rows: [
    row('start-first-cold', 'page open to first own message, nothing cached'),
    row('start-first-warm', 'page open to first own message, cached'),
  ],
  contestants: all.filter((name) => name !== 'mqttwasm-batch'),
  rounds: 3,
  measure: (place, name) =>
    coldAndWarm(place, `${place.servers.url}/bench/`, (page) =>
      page.call('firstMessage', name, { url: flooder(place, { echo: 1 }) }),
    ),
};

/** The same with the console: from opening it until a message published by a click is in the feed. */
const console: Work = {
  rows: [
    row('start-console-cold', 'console open to first own message shown, nothing cached'),
    row('start-console-warm', 'console open to first own message shown, cached'),
  ],
  contestants: ['mqttwasm'],
  rounds: 3,
  measure: (place) =>
    coldAndWarm(place, place.servers.app, (page) => page.evaluate<number>(`(${clickAndSee})()`)),
};

async function coldAndWarm(
  { browser }: Place,
  url: string,
  use: (page: Awaited<ReturnType<Place['browser']['open']>>) => Promise<number>,
): Promise<number[]> {
  const context = await browser.newContext();
  const times: number[] = [];
  // The browser caches compiled code only from the second visit on.
  for (let visit = 0; visit < 3; visit++) {
    const page = await browser.open(url, context);
    times.push(await use(page));
    await page.close();
  }
  await context.close();
  return [times[0] as number, times[2] as number];
}

/** Runs in the console's page. */
function clickAndSee(): Promise<number> {
  const status = '[role=status][aria-label=Connection]';
  return new Promise((resolve) => {
    let clicked = false;
    const look = (): void => {
      if (!clicked && document.querySelector(status)?.textContent?.startsWith('connected')) {
        clicked = true;
        for (const button of document.querySelectorAll<HTMLButtonElement>('form button[type=submit]')) {
          if (button.textContent?.trim() === 'Publish') button.click();
        }
      }
      if (clicked && document.querySelector('[role=log] .row')) resolve(performance.now());
    };
    new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true });
    look();
  });
}

export const start: Work[] = [connect, first, console];
