/** Trusted Types for the only scripts that are started by address: this build's own workers. */

// What of the standard is used here; TypeScript does not know it yet.
interface Factory {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): URL };
}

const policy = (globalThis as { trustedTypes?: Factory }).trustedTypes?.createPolicy('mqttwasm', {
  createScriptURL(url) {
    if (new URL(url).origin !== new URL(import.meta.url).origin) {
      throw new TypeError(`${url} is not a script of this build`);
    }
    return url;
  },
});

/** The address as `Worker`, `SharedWorker` and `register` take it where the page requires Trusted Types. */
export function scriptUrl(address: string): URL {
  const url = new URL(address, import.meta.url);
  return policy ? policy.createScriptURL(url.href) : url;
}
