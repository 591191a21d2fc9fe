import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const folder = new URL('../', import.meta.url).pathname;
/** The rules of a sheet without what is in their braces and their comments. */
const selectors = (file: string) =>
  readFileSync(folder + file, 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\{[^{}]*\}/g, '{}');

it('what every page has names no class that a panel has for itself', () => {
  const sheets = ['base', 'arrange'].map((name) => selectors(`styles/${name}.css`)).join('');
  const shared = new Set(sheets.match(/\.[a-z][\w-]*/g));
  const panels = readdirSync(`${folder}panels`, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.css'),
  );
  const own = panels.flatMap((file) => [...selectors(`panels/${file}`).matchAll(/^(\.[a-z][\w-]*) ?[,{]/gm)]);
  expect(own.length).toBeGreaterThan(100);
  expect(own.map(([, name]) => name).filter((name) => name && shared.has(name))).toEqual([]);
});
