// Prints what a visitor downloads. Fails over the limits, and where the wasm holds
// what the overlay keeps out (go-without-net.sh).

import { existsSync, readdirSync, readFileSync } from 'node:fs';

const limits = { wasm: 900_000, page: 65_000, library: 14_000, elements: 12_000, engine: 240_000 };

const dist = new URL('../dist/', import.meta.url);
const read = (name) => readFileSync(new URL(name, dist));
/** Bytes of the copy that the build made, or of the file where a copy was not worth it. */
const copySize = (name, ending) =>
  read(existsSync(new URL(name + ending, dist)) ? name + ending : name).length;
const brotliSize = (name) => copySize(name, '.br');
const gzipSize = (name) => copySize(name, '.gz');
const sum = (sizes) => sizes.reduce((total, size) => total + size, 0);

let failed = false;
function row(what, raw, size, limit, how = 'brotli') {
  const over = size > limit;
  failed ||= over;
  const n = (value) => value.toLocaleString('en').padStart(10);
  const said = `${n(size)} B ${how},`.padEnd(21);
  console.log(`${what.padEnd(19)}${n(raw)} B raw ${said}limit ${n(limit)}${over ? '  TOO LARGE' : ''}`);
}

/** The one .wasm of the build with such a name. */
function wasm(name) {
  const found = readdirSync(dist, { recursive: true }).filter((file) => name.test(file));
  if (found.length !== 1) throw new Error(`expected one ${name} in the build, found ${found.length}`);
  return found[0];
}
const modules = [wasm(/mqttwasm[^/]*\.wasm$/)];
row('wasm', read(modules[0]).length, brotliSize(modules[0]), limits.wasm);

// Functions are named in the wasm even without symbols: stack traces print them.
for (const linked of ['net/http.', 'net/netip.', 'crypto/tls.', 'crypto/x509.']) {
  if (!read(modules[0]).includes(linked)) continue;
  failed = true;
  console.log(`the wasm links functions of ${linked.slice(0, -1)}`);
}

/** What an entry loads by itself, with everything imported statically. The worker and lazy parts are separate graphs. */
function eager(entry) {
  const files = new Set();
  (function visit(key) {
    const chunk = manifest[key];
    if (files.has(chunk.file)) return;
    files.add(chunk.file);
    chunk.imports?.forEach(visit);
  })(entry);
  return [...files];
}

const manifest = JSON.parse(read('.vite/manifest.json').toString());
const rawSize = (names) => sum(names.map((name) => read(name).length));
const page = eager('index.html');
row('page JavaScript', rawSize(page), sum(page.map(brotliSize)), limits.page);
const library = eager('src/client/index.ts');
row('library JavaScript', rawSize(library), sum(library.map(gzipSize)), limits.library, 'gzip');
// What a page with elements loads beside the library, with its charts.
const elements = [...eager('src/elements/index.ts'), ...eager('src/elements/draw.ts')];
const beside = [...new Set(elements)].filter((file) => !library.includes(file));
row('elements', rawSize(beside), sum(beside.map(gzipSize)), limits.elements, 'gzip');

const engine = wasm(/emscripten-module[^/]*\.wasm$/);
row('engine of scripts', read(engine).length, brotliSize(engine), limits.engine);

process.exitCode = failed ? 1 : 0;
