// Prints what a visitor downloads, and fails over the limits.

import { readdirSync, readFileSync } from 'node:fs';
import { brotliCompressSync, constants } from 'node:zlib';

const limits = { wasm: 1_250_000, page: 60_000 };

const dist = new URL('../dist/', import.meta.url);
const read = (name) => readFileSync(new URL(name, dist));
const compressed = (data) =>
  brotliCompressSync(data, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
      [constants.BROTLI_PARAM_SIZE_HINT]: data.length,
    },
  }).length;

let failed = false;
function row(what, raw, brotli, limit) {
  const over = brotli > limit;
  failed ||= over;
  const n = (value) => value.toLocaleString('en').padStart(10);
  console.log(
    `${what.padEnd(16)}${n(raw)} B raw ${n(brotli)} B brotli, limit ${n(limit)}${over ? '  TOO LARGE' : ''}`,
  );
}

const modules = readdirSync(dist, { recursive: true }).filter((name) => name.endsWith('.wasm'));
if (modules.length !== 1) throw new Error(`expected one .wasm in the build, found ${modules.length}`);
const wasm = read(modules[0]);
row('wasm', wasm.length, compressed(wasm), limits.wasm);

// What index.html loads by itself: its entry and everything imported statically.
// The worker and lazy parts are separate graphs.
const manifest = JSON.parse(read('.vite/manifest.json').toString());
const eager = new Set();
(function visit(key) {
  const chunk = manifest[key];
  if (eager.has(chunk.file)) return;
  eager.add(chunk.file);
  chunk.imports?.forEach(visit);
})('index.html');
const scripts = [...eager].map(read);
row(
  'page JavaScript',
  scripts.reduce((sum, data) => sum + data.length, 0),
  scripts.reduce((sum, data) => sum + compressed(data), 0),
  limits.page,
);

process.exitCode = failed ? 1 : 0;
