import { expect, type Page } from '@playwright/test';
import config from '../../playwright.config';

/** The browser of most tests, with additional arguments. */
export function launchWith(...args: string[]) {
  const options = config.projects?.[0]?.use?.launchOptions ?? config.use?.launchOptions;
  return { launchOptions: { ...options, args: [...(options?.args ?? []), ...args] } };
}

/** The full browser, for features the headless shell lacks: service workers, profile settings. */
export const wholeBrowser = { launchOptions: config.use?.launchOptions ?? {} };

/** Locators by role and accessible name. */
export function partsOf(page: Page) {
  const publish = page.getByRole('form', { name: 'Publish' });
  const subscribe = page.getByRole('form', { name: 'Subscribe' });
  const log = page.getByRole('log', { name: 'Messages' });
  return {
    status: page.getByRole('status', { name: 'Connection' }),
    notice: page.locator('.notice-place').and(page.getByRole('alert')),
    broker: page.getByRole('combobox', { name: 'Broker' }),
    url: page.getByRole('textbox', { name: 'Broker URL' }),
    connect: page.getByRole('button', { name: 'Connect', exact: true }),
    disconnect: page.getByRole('button', { name: 'Disconnect', exact: true }),
    topic: publish.getByRole('textbox', { name: 'Topic' }),
    payload: publish.getByRole('textbox', { name: 'Payload' }),
    qos: publish.getByRole('combobox', { name: 'QoS' }),
    retain: publish.getByRole('checkbox', { name: 'Retain' }),
    repeat: publish.getByRole('checkbox', { name: 'Repeat every N seconds' }),
    publish: publish.getByRole('button', { name: 'Publish', exact: true }),
    stop: publish.getByRole('button', { name: 'Stop', exact: true }),
    results: page.getByRole('list', { name: 'Results' }).getByRole('listitem'),
    filter: subscribe.getByRole('textbox', { name: 'Topic filter' }),
    subscribe: subscribe.getByRole('button', { name: 'Subscribe', exact: true }),
    subscriptions: page.getByRole('list', { name: 'Subscriptions' }).getByRole('listitem'),
    log,
    rows: log.locator('.row'),
    /** A row by its whole topic and whole payload. */
    row: (topic: string, payload: string) =>
      log
        .locator('.row')
        .filter({ has: page.getByText(topic, { exact: true }) })
        .filter({ has: page.getByText(payload, { exact: true }) }),
    /** A count in the feed's header, such as Received. */
    count: (name: string) =>
      page
        .locator('.counts > div')
        .filter({ has: page.getByText(name, { exact: true }) })
        .getByRole('definition'),
  };
}

export type Parts = ReturnType<typeof partsOf>;

export async function openConnected(page: Page, url: string): Promise<Parts> {
  await page.goto(url);
  const parts = partsOf(page);
  await expect(parts.status).toHaveText(/^connected/);
  return parts;
}

/** Connects to this address, disconnecting first if necessary. */
export async function connectTo(parts: Parts, url: string): Promise<void> {
  await parts.url.fill(url);
  if (await parts.disconnect.isVisible()) await parts.disconnect.click();
  await parts.connect.click();
}

/**
 * Runs `look` in the light and then in the dark scheme, with reduced motion. Reusing the page takes half the
 * time of opening it twice.
 */
export async function inBothSchemes(
  page: Page,
  look: (scheme: 'light' | 'dark') => Promise<void>,
): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await look(colorScheme);
  }
}

/** Errors logged when a stopped broker is connected to or probed. */
const unreachable =
  /^(WebSocket connection to '\S+' failed: .*|Failed to load resource: )net::ERR_(CONNECTION_(REFUSED|RESET|CLOSED)|EMPTY_RESPONSE)/;

/**
 * Errors the browser reports: console errors, including those of workers, uncaught exceptions, and content
 * security policy violations.
 */
export async function complaintsOf(page: Page): Promise<string[]> {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() !== 'error') return;
    const text = message.text();
    const address = /'(wss?:\S+)'/.exec(text)?.[1] ?? message.location().url;
    const elsewhere = URL.canParse(address) && new URL(address).host !== new URL(page.url()).host;
    if (!(elsewhere && unreachable.test(text))) complaints.push(text);
  });
  page.on('pageerror', (error) => complaints.push(`uncaught ${error}`));
  await page.exposeFunction('complain', (text: string) => complaints.push(text));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) =>
      (window as unknown as { complain(text: string): void }).complain(
        `policy: ${event.effectiveDirective} ${event.blockedURI}`,
      ),
    );
  });
  return complaints;
}

/** Screens on which everything in a view must be reachable: width and height in pixels. */
export const laptopAndPhone = [
  [1366, 657],
  [390, 844],
] as const;

export const details = (page: Page) => page.getByRole('region', { name: 'Message details' });
export const openRow = (page: Page, number: number) =>
  page.getByRole('button', { name: `Details of message ${number}`, exact: true });

export type ViewName = 'Messages' | 'Topics' | 'Publish' | 'Broker' | 'Packets' | 'Scripts' | 'Fleet';

/** On a wide screen, Broker and Packets are drawers below the messages. */
export const drawerButton = (page: Page, name: 'Broker' | 'Packets') =>
  page.getByRole('contentinfo').getByRole('button', { name, exact: true });

/** Brings a view into sight; Messages also closes the others. */
export async function showView(page: Page, name: ViewName): Promise<void> {
  if ((page.viewportSize()?.width ?? 1280) < 900) {
    const inBroker = name === 'Packets' || name === 'Scripts' || name === 'Fleet';
    const way = name === 'Messages' ? 'Feed' : inBroker ? 'Broker' : name;
    const nav = page.getByRole('navigation', { name: 'Views' });
    await nav.getByRole('button', { name: way, exact: true }).click();
    if (inBroker) await page.getByRole('tab', { name }).click();
  } else if (name === 'Broker' || name === 'Packets') {
    const button = drawerButton(page, name);
    if ((await button.getAttribute('aria-expanded')) !== 'true') await button.click();
  } else if (name !== 'Topics' && name !== 'Publish') {
    await page.getByRole('tab', { name }).click();
    const open = page.getByRole('contentinfo').locator('[aria-expanded=true]');
    if (name === 'Messages' && (await open.count()) > 0) await open.click();
  }
}

export type SettingsName = 'Options' | 'Profiles' | 'Session' | 'Share' | 'Code';

/** Opens a section of the connection's settings. */
export async function openSettings(page: Page, name: SettingsName): Promise<void> {
  const part = page.getByRole('button', { name, exact: true });
  if (!(await part.isVisible())) await page.getByRole('button', { name: 'Settings', exact: true }).click();
  if ((await part.getAttribute('aria-expanded')) !== 'true') await part.click();
}

/** A screenshot for people to look at, on request (make screenshots). */
export async function picture(page: Page, name: string, fullPage = false): Promise<void> {
  if (!process.env.SCREENSHOTS) return;
  await page.screenshot({ path: `test-results/screenshots/${name}.png`, animations: 'disabled', fullPage });
}
