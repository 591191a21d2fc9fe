/** Runs the documentation's examples as they stand there. */

import { type Browser, chromium, type LaunchOptions } from '@playwright/test';

/** A browser in which `hosts`, `host:port` of the brokers that examples name, are local ones. */
export function openBrowser(options: LaunchOptions, hosts: Record<string, string>): Promise<Browser> {
  const rules = Object.entries(hosts).map(([name, url]) => `MAP ${name} ${new URL(url).host}`);
  const args = [...(options.args ?? []), `--host-resolver-rules=${rules.join(', ')}`];
  return chromium.launch({ ...options, args });
}

/** What the code prints, run in a page of the server's origin. */
export async function runExample(browser: Browser, origin: string, code: string): Promise<string[]> {
  const page = await browser.newPage();
  try {
    const output: string[] = [];
    page.on('console', (message) => output.push(message.text()));
    await page.goto(`${origin}/config.json`); // a page of this origin that does nothing by itself
    const dynamic = code.replace(/import (\{.*?\}) from ('.*?');/g, 'const $1 = await import($2);');
    await page.evaluate(`(async () => { ${dynamic} })()`);
    return output;
  } finally {
    await page.close();
  }
}
