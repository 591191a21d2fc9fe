/** Style sheets that are under way or there. */
const styles = new Map<string, Promise<unknown>>();

/**
 * What the build puts around `import()` of a chunk that `needs` others, whose addresses are
 * relative to `base`: scripts load at the same time, style sheets are there before the chunk runs.
 */
export async function preload<Chunk>(
  load: () => Promise<Chunk>,
  needs: string[] = [],
  base?: string,
): Promise<Chunk> {
  // In a worker nothing but the chunk itself can be asked for.
  if (typeof document !== 'undefined') await Promise.all(needs.map((need) => ask(new URL(need, base).href)));
  return load();
}

/** Resolves at once for a script: the chunk waits for it. */
function ask(href: string): Promise<unknown> | undefined {
  if (styles.has(href) || [...document.querySelectorAll('link')].some((link) => link.href === href)) {
    return styles.get(href);
  }
  const link = document.createElement('link');
  link.href = href;
  if (href.endsWith('.css')) {
    link.rel = 'stylesheet';
    const loaded = new Promise((resolve, reject) => {
      link.onload = resolve;
      link.onerror = () => {
        // The next one asks again.
        link.remove();
        styles.delete(href);
        reject(new Error(`${href} could not be loaded`));
      };
    });
    styles.set(href, loaded);
  } else link.rel = 'modulepreload';
  document.head.append(link);
  return styles.get(href);
}
