// Prints what a visitor downloads. Fails over the limits, and where the wasm holds
// what the overlay of net/http keeps out (go-without-http.sh).

import { existsSync, readdirSync, readFileSync } from 'node:fs';

const limits = { wasm: 900_000, page: 61_000 };

const dist = new URL('../dist/', import.meta.url);
const read = (name) => readFileSync(new URL(name, dist));
/** Bytes of the brotli copy that the build made, or of the file where a copy was not worth it. */
const brotliSize = (name) => read(existsSync(new URL(`${name}.br`, dist)) ? `${name}.br` : name).length;
const sum = (sizes) => sizes.reduce((total, size) => total + size, 0);

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
row('wasm', read(modules[0]).length, brotliSize(modules[0]), limits.wasm);

// Functions are named in the wasm even without symbols: stack traces print them.
for (const linked of ['net/http.', 'crypto/tls.', 'crypto/x509.']) {
  if (!read(modules[0]).includes(linked)) continue;
  failed = true;
  console.log(`the wasm links functions of ${linked.slice(0, -1)}`);
}

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
const scripts = [...eager];
row(
  'page JavaScript',
  sum(scripts.map((name) => read(name).length)),
  sum(scripts.map(brotliSize)),
  limits.page,
);

process.exitCode = failed ? 1 : 0;
