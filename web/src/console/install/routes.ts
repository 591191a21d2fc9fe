/** Which requests the service worker answers, and how. */

export type Route =
  /** The page itself. */
  | 'page'
  /** The page's list of brokers. */
  | 'config'
  /** Named after its content, or after its build: it never changes. */
  | 'fixed'
  /** A file of the page that keeps its name from build to build. */
  | 'named';

interface Asked {
  method: string;
  mode: string;
  url: string;
}

/**
 * Undefined for what only the network answers, such as the broker at `mqtt`. `files` are the
 * build's, relative to `scope`.
 */
export function routeOf(
  { method, mode, url }: Asked,
  scope: string,
  files: readonly string[],
): Route | undefined {
  if (method !== 'GET' || !url.startsWith(scope)) return undefined;
  const name = url.slice(scope.length).replace(/#.*/, '');
  const path = name.replace(/\?.*/, '');
  if (mode === 'navigate') return path === '' || path === 'index.html' ? 'page' : undefined;
  if (path === 'config.json') return 'config';
  // Also of other builds: an older page may still be open, and a newer one may be kept already.
  if (path.startsWith('assets/')) return 'fixed';
  if (!files.some((file) => file.replace(/\?.*/, '') === path)) return undefined;
  return name.includes('?') ? 'fixed' : 'named';
}
