import wasmUrl from '@jitl/quickjs-ng-wasmfile-release-sync/wasm?url';

/** The engine's program, for all sandboxes of a worker. */
export async function fetchEngine(): Promise<WebAssembly.Module> {
  const response = await fetch(wasmUrl);
  if (!response.ok) throw new Error(`status ${response.status}`);
  return WebAssembly.compile(await response.arrayBuffer());
}
