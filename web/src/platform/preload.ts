/** Style sheets that are loading or loaded. */
const styles = new Map<string, Promise<unknown>>();

/**
 * Wraps, in the build, `import()` of a chunk that `needs` others, whose addresses are relative to
 * `base`: scripts load in parallel, style sheets before the chunk runs.
 */
export async function preload<Chunk>(
  load: () => Promise<Chunk>,
  needs: string[] = [],
  base?: string,
): Promise<Chunk> {
  // In a worker only the chunk itself can be loaded.
  if (typeof document !== 'undefined') await Promise.all(needs.map((need) => ask(new URL(need, base).href)));
  return load();
}

/** Resolves at once for a script: the chunk waits for it. */
function ask(href: string): Promise<unknown> | undefined {
  if ([...document.querySelectorAll('link')].some((link) => link.href === href)) return styles.get(href);
  const link = document.createElement('link');
  link.href = href;
  link.rel = 'modulepreload';
  if (href.endsWith('.css')) {
    link.rel = 'stylesheet';
    const loaded = new Promise((resolve, reject) => {
      link.onload = resolve;
      link.onerror = () => {
        link.remove(); // the next import tries again
        reject(new Error(`${href} could not be loaded`));
      };
    });
    styles.set(href, loaded);
  }
  document.head.append(link);
  return styles.get(href);
}
