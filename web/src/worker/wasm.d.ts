/** `wasm_exec.js` is Go's own glue, copied beside the program at each build. */
declare module '*/wasm_exec.js';

/** What `wasm_exec.js` installs. */
declare class Go {
  exit: (code: number) => void;
  readonly importObject: WebAssembly.Imports;
  readonly _scheduledTimeouts: Map<number, number | { unref?(): void }>;
  /** Runs until the program waits for the first time; resolves when it has ended. */
  run(instance: WebAssembly.Instance): Promise<void>;
}

/** What the Go program installs before it waits. */
declare var mqttwasm:
  | import('../protocol/boundary').Boundary<import('../protocol/boundary').GoClient>
  | undefined;
