/** Runs the documentation's examples verbatim. */

import { type Browser, chromium, type LaunchOptions } from '@playwright/test';

/** A browser that resolves `hosts`, the `host:port` in examples, to local brokers. */
export function openBrowser(options: LaunchOptions, hosts: Record<string, string>): Promise<Browser> {
  const rules = Object.entries(hosts).map(([name, url]) => `MAP ${name} ${new URL(url).host}`);
  const args = [...(options.args ?? []), `--host-resolver-rules=${rules.join(', ')}`];
  return chromium.launch({ ...options, args });
}

/** Runs the code in a page of the server's origin and returns what it prints. */
export async function runExample(browser: Browser, origin: string, code: string): Promise<string[]> {
  const page = await browser.newPage();
  try {
    const output: string[] = [];
    page.on('console', (message) => output.push(message.text()));
    await page.goto(`${origin}/config.json`); // a page of this origin without scripts
    const dynamic = code.replace(/import (\{.*?\}) from ('.*?');/g, 'const $1 = await import($2);');
    await page.evaluate(`(async () => { ${dynamic} })()`);
    return output;
  } finally {
    await page.close();
  }
}
