// Draws the icons that a system wants as pictures, from public/favicon.svg. They
// are committed: run this when the drawing changes.

import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from '@playwright/test';

const path = (name) => fileURLToPath(new URL(`../public/${name}`, import.meta.url));
const drawing = readFileSync(path('favicon.svg'), 'utf8');
// A system cuts its own shape out of a maskable icon, and leaves at least the
// middle four fifths: the ground goes to the edge, and the figure is smaller.
const maskable = drawing
  .replace(' rx="8"', '')
  .replace('<g fill', '<g transform="translate(2.4 2.4) scale(0.85)"><g fill')
  .replace('</svg>', '</g></svg>');

const icons = [
  ['icon-192.png', 192, drawing],
  ['icon-512.png', 512, drawing],
  ['maskable-512.png', 512, maskable],
];

const system = '/usr/bin/chromium';
const browser = await chromium.launch({
  ...(existsSync(system) && { executablePath: system }),
  args: ['--no-sandbox'],
});
mkdirSync(path('icons'), { recursive: true });
for (const [name, size, svg] of icons) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  await page.setContent(`<style>body { margin: 0 } svg { display: block; width: 100vw }</style>${svg}`);
  await page.screenshot({ path: path(`icons/${name}`), omitBackground: true });
  await page.close();
}
await browser.close();
