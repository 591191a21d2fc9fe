// Makes the npm package in web/package, and its tarball beside it: the library,
// its workers, the wasm, types, and the guide to the client.

import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { clientChunk } from './client-chunk.mjs';
import { notices } from './notices.mjs';

const web = fileURLToPath(new URL('..', import.meta.url));
const out = join(web, 'package');
const dist = join(out, 'dist');
const read = (path) => readFileSync(join(web, path), 'utf8');

/** What addresses name in the sources, and in the package, where all lie together. */
const assets = {
  '../../worker/dedicated.ts': './mqttwasm-worker.js',
  '../../worker/shared.ts': './mqttwasm-shared.js',
  './generated/mqttwasm.wasm': './mqttwasm.wasm',
  '../../worker/generated/mqttwasm.wasm': './mqttwasm.wasm',
};

rmSync(out, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });

// A worker is one file, so that it can be copied, and small, because bundlers
// take it as it is.
await bundle({
  index: 'client/index.ts',
  compat: 'compat/index.ts',
  brokers: 'brokers/index.ts',
  elements: 'elements/index.ts',
});
await bundle({ 'mqttwasm-worker': 'worker/dedicated.ts' }, true);
await bundle({ 'mqttwasm-shared': 'worker/shared.ts' }, true);
copyFileSync(join(web, 'src/worker/generated/mqttwasm.wasm'), join(dist, 'mqttwasm.wasm'));
emitTypes();
for (const name of ['CHANGELOG.md', 'LICENSE']) copyFileSync(join(web, name), join(out, name));
writeFileSync(join(out, 'THIRD-PARTY.txt'), notices(web));
writeFileSync(join(out, 'README.md'), readme());
writeFileSync(join(out, 'package.json'), `${JSON.stringify(manifest(), null, 2)}\n`);
execFileSync('npm', ['pack', '--silent', '--ignore-scripts'], { cwd: out, stdio: 'inherit' });

/** `alone`: in one file, minified. */
async function bundle(entries, alone = false) {
  const input = Object.fromEntries(
    Object.entries(entries).map(([name, path]) => [name, join(web, 'src', path)]),
  );
  const build = await rolldown({ input, platform: 'browser', plugins: [{ name: 'assets', transform }] });
  await build.write({
    dir: dist,
    format: 'es',
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
    ...(!alone && { codeSplitting: { groups: [clientChunk] } }),
    minify: alone,
  });
  await build.close();
}

/**
 * Bundlers know these addresses by their form, so they must be written out. They
 * are files to all of them, the workers too: a worker that a bundler knows is
 * `new Worker(new URL(…))`, which pages that require Trusted Types refuse.
 */
function transform(code) {
  const imported = /import workerUrl from '([^']+)\?worker&url';\n/.exec(code);
  const inPlace = imported
    ? code
        .replace(imported[0], '')
        .replaceAll('new URL(workerUrl, import.meta.url)', `new URL('${imported[1]}', import.meta.url)`)
    : code;
  return inPlace.replaceAll(/new URL\('([^']+)', import\.meta\.url\)/g, (_, path) => {
    if (!assets[path]) throw new Error(`no asset of the package is ${path}`);
    return `new URL('${assets[path]}', import.meta.url)`;
  });
}

/** The declarations that the entries lead to. */
function emitTypes() {
  const types = join(dist, 'types');
  execFileSync(join(web, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.package.json', '--outDir', types], {
    cwd: web,
    stdio: 'inherit',
  });
  const needed = new Set();
  const visit = (file) => {
    if (needed.has(file)) return;
    needed.add(file);
    // Node's rules for modules want the whole name.
    const text = readFileSync(file, 'utf8').replaceAll(
      /(from |import\()'(\.{1,2}\/[^']+)'/g,
      (_, word, path) => {
        visit(resolve(dirname(file), `${path}.d.ts`));
        return `${word}'${path}.js'`;
      },
    );
    writeFileSync(file, text);
  };
  visit(join(types, 'client/index.d.ts'));
  visit(join(types, 'compat/index.d.ts'));
  visit(join(types, 'brokers/index.d.ts'));
  visit(join(types, 'elements/index.d.ts'));
  for (const name of readdirSync(types, { recursive: true })) {
    const file = join(types, name);
    if (statSync(file).isFile() && !needed.has(file)) rmSync(file);
  }
  const nothing = '/** The worker or the wasm: to give the address of, not to import from. */\nexport {};\n';
  writeFileSync(join(types, 'file.d.ts'), nothing);
}

function readme() {
  const [, api] = read('docs/library.md').split('[中文](library.zh.md)\n');
  const text = byPackageName(
    `# mqttwasm\n\n${read('package.json').match(/"description": "(.*)"/)[1]}.\n${api}`,
  )
    // These are about the server, which is not in the package.
    .replaceAll(/\[(deployment|the embedded broker|security)\]\([^)]*\)/g, '$1 (in the source)')
    .replaceAll(/\]\(([\w/-]+\.md)/g, (_, name) => `](${guide(name)}`)
    .replaceAll('[examples](../examples)', 'examples in the source');
  const broken = text.match(/\]\(\.\.\/[^)]*\)/);
  if (broken) throw new Error(`the package's README would link to ${broken[0]}`);
  return text;
}

/** Where the package has a guide that the README links to. An index brings the rest of its folder. */
function guide(name) {
  const folder = dirname(name);
  const names =
    folder === '.'
      ? [name]
      : readdirSync(join(web, 'docs', folder))
          .filter((one) => !one.endsWith('.zh.md'))
          .map((one) => join(folder, one));
  for (const one of names) {
    const file = join(out, 'docs', one);
    mkdirSync(dirname(file), { recursive: true });
    // The guide to the client is the package's README.
    const text = read(`docs/${one}`)
      .replace(/^\[中文\]\(.*\)\n+/m, '') // the guides in Chinese are not in the package
      .replaceAll('](library.md', '](../README.md')
      .replaceAll(/^!\[.*\]\(.*\)\n+/gm, ''); // nor are pictures
    writeFileSync(file, byPackageName(text));
  }
  return `docs/${name}`;
}

function byPackageName(text) {
  return text
    .replaceAll("'/mqttwasm.js'", "'mqttwasm'")
    .replaceAll("'/mqttwasm-brokers.js'", "'mqttwasm/brokers'")
    .replaceAll("'/elements.js'", "'mqttwasm/elements'")
    .replaceAll('"/elements.js"', '"./node_modules/mqttwasm/dist/elements.js"');
}

function manifest() {
  const { name, version, description } = JSON.parse(read('package.json'));
  const entry = (types, file) => ({
    types: `./dist/types/${types}/index.d.ts`,
    default: `./dist/${file}.js`,
  });
  const file = (name) => ({ types: './dist/types/file.d.ts', default: `./dist/${name}` });
  return {
    name,
    version,
    description,
    license: 'MIT',
    keywords: ['mqtt', 'mqtt5', 'websocket', 'wasm', 'client'],
    type: 'module',
    sideEffects: ['./dist/elements.js', './dist/mqttwasm-worker.js', './dist/mqttwasm-shared.js'],
    exports: {
      '.': entry('client', 'index'),
      './compat': entry('compat', 'compat'),
      './brokers': entry('brokers', 'brokers'),
      './elements': entry('elements', 'elements'),
      './worker': file('mqttwasm-worker.js'),
      './shared-worker': file('mqttwasm-shared.js'),
      './wasm': file('mqttwasm.wasm'),
      './package.json': './package.json',
    },
    types: './dist/types/client/index.d.ts',
    files: ['dist', 'docs', 'CHANGELOG.md', 'LICENSE', 'THIRD-PARTY.txt'],
    engines: { node: '>=20.16' }, // process.getBuiltinModule
  };
}
