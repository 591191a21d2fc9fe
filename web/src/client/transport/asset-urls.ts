/** Addresses of worker scripts, in the form that browsers and Trusted Types accept. */

// The part of the standard that is used here; TypeScript does not know it yet.
interface Policy {
  createScriptURL(url: string): URL;
}
interface Factory {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): Policy;
}

let policy: Policy | undefined;
let refusal: unknown;

/** The address as `Worker`, `SharedWorker` and `register` accept it if the page requires Trusted Types. */
export function scriptUrl(address: string | URL): URL {
  const url = absolute(address);
  policy ??= createPolicy();
  return policy ? policy.createScriptURL(url.href) : url;
}

/** Why a script did not start; if Trusted Types prevented it, with what to change. */
export function startFailure(error: unknown): string {
  if (refusal === undefined) return String(error);
  return `${error}; where a page requires Trusted Types it must allow this policy ("trusted-types mqttwasm"): ${refusal}`;
}

/** Undefined without Trusted Types, or if the page does not allow this policy. */
function createPolicy(): Policy | undefined {
  if (refusal !== undefined) return undefined;
  try {
    return (globalThis as { trustedTypes?: Factory }).trustedTypes?.createPolicy('mqttwasm', {
      createScriptURL(url) {
        if (isForeign(url)) throw new TypeError(`${url} is not of the page's origin`);
        return url;
      },
    });
  } catch (error) {
    refusal = error;
    return undefined;
  }
}

/** Whether browsers refuse to start a worker from there. */
export function isForeign(address: string | URL): boolean {
  // Outside browsers there is no origin. Not the origin of the page's address: a frame may have
  // that of the page around it or, sandboxed, none.
  return globalThis.origin !== undefined && new URL(address).origin !== globalThis.origin;
}

/** The address of the wasm; undefined: beside the worker, since a worker from elsewhere has its own. */
export function wasmFor(worker: string | undefined, wasm: string | undefined): string | URL | undefined {
  if (wasm !== undefined || worker !== undefined) return wasm;
  // Bundlers rename the worker and the wasm, and recognize only this address.
  return new URL('../../worker/generated/mqttwasm.wasm', import.meta.url);
}

/** The worker's address with that of the wasm in its fragment, which no server sees. */
export function withWasm(worker: string | URL, wasm: string | URL | undefined): URL {
  const url = absolute(worker);
  if (wasm !== undefined) url.hash = new URLSearchParams({ wasm: absolute(wasm).href }).toString();
  return url;
}

/** Also of a URL: those that Turbopack makes from a file's address have no origin. */
function absolute(address: string | URL): URL {
  return new URL(address, globalThis.location?.href);
}

/**
 * A script of the page's origin that imports one of another origin. To be revoked when the worker
 * is gone.
 */
export function importingBlob(worker: URL): string {
  const code = `import ${JSON.stringify(worker.href)};`;
  return URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
}
