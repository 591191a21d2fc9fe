import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { preload as Preload } from './preload';

interface Link {
  href: string;
  rel: string;
  onload(): void;
  onerror(): void;
  remove(): void;
}

let links: Link[];
let preload: typeof Preload;
const base = 'https://site.test/assets/panel.js';
const style = './panel.css';
const chunk = async () => 'chunk';

beforeEach(async () => {
  links = [];
  vi.stubGlobal('document', {
    querySelectorAll: () => links,
    createElement: () => {
      const link = { remove: () => void links.splice(links.indexOf(link), 1) } as Link;
      return link;
    },
    head: { append: (link: Link) => links.push(link) },
  });
  vi.resetModules();
  ({ preload } = await import('./preload'));
});

afterEach(() => vi.unstubAllGlobals());

test('a chunk waits for its style sheets, but not for scripts', async () => {
  const load = vi.fn(chunk);
  const loading = preload(load, [style, './other.js'], base);
  expect(links.map(({ href, rel }) => [href, rel])).toEqual([
    ['https://site.test/assets/panel.css', 'stylesheet'],
    ['https://site.test/assets/other.js', 'modulepreload'],
  ]);
  await Promise.resolve();
  expect(load).not.toHaveBeenCalled();
  links[0]?.onload();
  expect(await loading).toBe('chunk');
});

test('resources already loaded or requested are not requested again', async () => {
  links.push({ href: 'https://site.test/assets/page.css', rel: 'stylesheet' } as Link);
  expect(await preload(chunk, ['./page.css'], base)).toBe('chunk');
  const twice = [preload(chunk, [style], base), preload(chunk, [style], base)];
  expect(links).toHaveLength(2);
  links[1]?.onload();
  expect(await Promise.all(twice)).toEqual(['chunk', 'chunk']);
});

test('a style sheet that failed to load is requested again', async () => {
  const failing = preload(chunk, [style], base);
  links[0]?.onerror();
  await expect(failing).rejects.toThrow('https://site.test/assets/panel.css could not be loaded');
  const again = preload(chunk, [style], base);
  links[0]?.onload();
  expect(await again).toBe('chunk');
});

test('without a document only the chunk is requested', async () => {
  vi.unstubAllGlobals();
  expect(await preload(chunk, [style], base)).toBe('chunk');
  expect(await preload(chunk)).toBe('chunk');
});
