import { expect, type Page } from '@playwright/test';

/** Locators for the scripts view. */
export const scriptsOf = (page: Page) => page.getByRole('list', { name: 'Scripts' }).getByRole('listitem');
export const logOf = (page: Page) => page.getByRole('log', { name: 'Script log' });
export const codeOf = (page: Page) => page.getByRole('textbox', { name: 'Code' });
export const switchOf = (page: Page, name: string) => page.getByRole('checkbox', { name: `Run ${name}` });

interface Script {
  name: string;
  code: string;
  filter: string;
}

/** Imports a script from a file, and switches it on while its code is on screen. */
export async function bringScript(page: Page, { name, code, filter }: Script): Promise<void> {
  const text = `// mqttwasm script\n// Name: ${name}\n// Topic filter: ${filter}\n\n${code}\n`;
  const file = { name: 'scripts.js', mimeType: 'text/javascript', buffer: Buffer.from(text) };
  await page.getByLabel('Import scripts').setInputFiles(file);
  await expect(switchOf(page, name)).not.toBeChecked();
  await expect(codeOf(page)).toBeInViewport({ ratio: 0.5 });
}

export async function start(page: Page, name: string): Promise<void> {
  await switchOf(page, name).check();
  await expect(scriptsOf(page).filter({ hasText: name })).toContainText(/\d message/);
}
