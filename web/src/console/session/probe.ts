/** What the browser can find out about an address that it failed to open. */

import { isPrivateHost } from './config';
import type { Surroundings } from './explain';

const patience = 3000;

/** The names under which browsers keep the permission to reach private addresses, the older one first. */
const permissionNames = ['local-network-access', 'local-network', 'loopback-network'];

/** Undefined if the browser has no such permission. The strictest answer counts. */
async function localNetworkPermission(permissions: Permissions): Promise<PermissionState | undefined> {
  const states = await Promise.all(
    permissionNames.map((name) =>
      permissions.query({ name: name as PermissionName }).then(
        (status) => status.state,
        () => undefined,
      ),
    ),
  );
  return (['denied', 'prompt', 'granted'] as const).find((state) => states.includes(state));
}

/**
 * Any HTTP response shows that something listens there; it can't be read, and need not be.
 * Undefined if the browser would not send the request.
 */
async function reach(url: URL, page: URL): Promise<'answers' | 'silent' | undefined> {
  const target = new URL(url.href.replace(/^ws/, 'http'));
  if (page.protocol === 'https:' && target.protocol === 'http:') return undefined;

  let forbidden = false;
  const onViolation = (event: SecurityPolicyViolationEvent) => {
    if (event.effectiveDirective === 'connect-src' && event.blockedURI.startsWith(target.origin))
      forbidden = true;
  };
  document.addEventListener('securitypolicyviolation', onViolation);
  try {
    await fetch(target, {
      mode: 'no-cors',
      cache: 'no-store',
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      signal: AbortSignal.timeout(patience),
    });
    return 'answers';
  } catch {
    return forbidden ? undefined : 'silent';
  } finally {
    document.removeEventListener('securitypolicyviolation', onViolation);
  }
}

/** Settles within seconds and never rejects. */
export async function survey(address: string): Promise<Surroundings> {
  const seen: Surroundings = { url: address, page: location.href };
  if (!URL.canParse(address)) return seen;
  const url = new URL(address);
  const page = new URL(location.href);
  const [reached, permission] = await Promise.all([
    reach(url, page),
    isPrivateHost(url.hostname) && navigator.permissions
      ? localNetworkPermission(navigator.permissions)
      : undefined,
  ]);
  if (reached) seen.reach = reached;
  if (permission) seen.localNetwork = permission;
  return seen;
}
