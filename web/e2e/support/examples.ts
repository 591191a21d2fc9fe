/** Runs the documentation's examples as they stand there. */

import type { BrowserType, LaunchOptions } from '@playwright/test';

/**
 * What the code prints, run in a page of the server's origin. `hosts` maps
 * `host:port` of the brokers that it names onto the addresses of local ones.
 */
export async function runExample(
  browsers: BrowserType,
  options: LaunchOptions,
  origin: string,
  hosts: Record<string, string>,
  code: string,
): Promise<string[]> {
  const rules = Object.entries(hosts).map(([name, url]) => `MAP ${name} ${new URL(url).host}`);
  const browser = await browsers.launch({
    ...options,
    args: [...(options.args ?? []), `--host-resolver-rules=${rules.join(', ')}`],
  });
  try {
    const page = await browser.newPage();
    const output: string[] = [];
    page.on('console', (message) => output.push(message.text()));
    await page.goto(`${origin}/config.json`); // a page of this origin that does nothing by itself
    const dynamic = code.replace(/import (\{.*?\}) from ('.*?');/g, 'const $1 = await import($2);');
    await page.evaluate(`(async () => { ${dynamic} })()`);
    return output;
  } finally {
    await browser.close();
  }
}
