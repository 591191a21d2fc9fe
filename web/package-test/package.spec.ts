import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, expect, type Page, test } from '@playwright/test';
import { type Mosquitto, startMosquitto } from '../e2e/support/brokers';
import { freePort, start } from '../e2e/support/process';
import config from '../playwright.config';
import {
  createProject,
  installed,
  policy,
  run,
  type Site,
  serveFolder,
  tarball,
  tool,
  trustedTypes,
  tsc,
} from './support';

let broker: Mosquitto;
test.beforeAll(async () => {
  broker = await startMosquitto();
});
test.afterAll(() => broker?.stop());

const works = ['worker: it works', 'inline: it works', 'shared: it works', 'compat: it works'];

/** Checks that every way to run the client prints the expected line. */
async function expectAll(page: Page, url: string, lines: (string | RegExp)[] = works): Promise<void> {
  const problems: string[] = [];
  page.on('console', (message) => {
    // Browsers request an icon on their own, and log that there is none.
    const icon = message.location().url.endsWith('/favicon.ico');
    if (message.type() === 'error' && !icon) problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  const address = new URL(url);
  address.searchParams.set('broker', broker.mqtt);
  await page.goto(address.href);
  await expect(page.getByText(/^\w+: /)).toHaveText(lines);
  expect(page.workers()).toHaveLength(1);
  expect(problems).toEqual([]);
}

for (const bundler of ['vite', 'webpack', 'esbuild', 'rollup']) {
  test(`${bundler} resolves the worker and the wasm`, async ({ page }) => {
    const project = await createProject(
      bundler,
      'package-test/projects/common',
      `package-test/projects/${bundler}`,
    );
    await run('npm', ['run', 'build'], project);
    // webpack loads its chunks through a Trusted Types policy of its own, if configured.
    const required = bundler === 'webpack' ? '' : trustedTypes;
    const site = await serveFolder(join(project, 'dist'), { 'Content-Security-Policy': policy + required });
    await expectAll(page, site.url);
    await site.stop();
  });
}

test('sveltekit, with a prerendered page', async ({ page }) => {
  const project = await createProject(
    'sveltekit',
    'package-test/projects/common',
    'package-test/projects/sveltekit',
  );
  await run('npm', ['run', 'build'], project);
  // Its pages start with an inline script.
  const site = await serveFolder(join(project, 'build'), {});
  await expectAll(page, site.url);
  await site.stop();
});

test('next, with a server-rendered page', async ({ page }) => {
  const project = await createProject('next', 'package-test/projects/common', 'package-test/projects/next');
  await run('npm', ['run', 'build'], project);
  const port = await freePort();
  const env = { NEXT_TELEMETRY_DISABLED: '1' };
  const server = start(tool('next'), ['start', project, '-H', '127.0.0.1', '-p', String(port)], env);
  try {
    await server.printed(/Ready/);
    await expectAll(page, `http://127.0.0.1:${port}/`);
  } finally {
    // On SIGTERM it waits for connections that browsers open speculatively.
    server.process.kill('SIGKILL');
    await server.stop();
  }
});

test("vite's development server", async ({ page }) => {
  const project = await createProject(
    'vite-dev',
    'package-test/projects/common',
    'package-test/projects/vite',
  );
  const port = await freePort();
  const args = [project, '--host', '127.0.0.1', '--port', String(port), '--strictPort'];
  const server = start(tool('vite'), args);
  await server.printed(/Local/);
  await expectAll(page, `http://127.0.0.1:${port}/`);
  await server.stop();
});

test('a page without a bundler', async ({ page }) => {
  const project = await createProject('plain', 'package-test/projects/common', 'package-test/projects/plain');
  const site = await serveFolder(project);
  await expectAll(page, site.url);
  await site.stop();
});

test('a page of a browser extension', async () => {
  const project = await createProject(
    'extension',
    ...['common', 'plain', 'extension'].map((name) => `package-test/projects/${name}`),
  );
  const { launchOptions } = config.use ?? {};
  const context = await chromium.launchPersistentContext(test.info().outputPath('profile'), {
    ...launchOptions,
    channel: 'chromium', // Chromium's headless shell has no extensions
    ignoreDefaultArgs: ['--disable-extensions'],
    args: [...(launchOptions?.args ?? []), `--load-extension=${project}`],
  });
  try {
    // Chromium derives an unpacked extension's id from its path.
    const id = createHash('sha256').update(project).digest('hex').slice(0, 32);
    const letters = [...id].map((digit) => 'abcdefghijklmnop'[Number.parseInt(digit, 16)]).join('');
    await expectAll(await context.newPage(), `chrome-extension://${letters}/index.html`);
  } finally {
    await context.close();
  }
});

for (const [bundler, form] of [
  ['vite', 'addresses'],
  ['vite', 'addresses-by-import'],
  ['webpack', 'addresses'],
] as const) {
  test(`${bundler} gives the ${form} of the worker and the wasm`, async ({ page }) => {
    const project = await createProject(
      `${bundler}-${form}`,
      ...['common', bundler, form].map((name) => `package-test/projects/${name}`),
    );
    await run('npm', ['run', 'build'], project);
    const site = await serveFolder(join(project, 'dist'));
    await expectAll(page, site.url);
    await site.stop();
  });
}

test('a page that requires Trusted Types needs one policy, and the error names it', async ({ page }) => {
  const project = await createProject(
    'strict',
    'package-test/projects/common',
    'package-test/projects/plain',
  );
  const strict = await serveFolder(project, { 'Content-Security-Policy': policy + trustedTypes });
  await expectAll(page, strict.url);

  // Without a worker script no policy is needed.
  const none = "; require-trusted-types-for 'script'; trusted-types another";
  const forbidding = await serveFolder(project, { 'Content-Security-Policy': policy + none });
  await page.goto(`${forbidding.url}?broker=${encodeURIComponent(broker.mqtt)}`);
  const told = /^\w+: crashed the browser refused to start the worker: .*"trusted-types mqttwasm"/;
  await expect(page.getByText(/^\w+: /)).toHaveText([told, 'inline: it works', told, told]);

  // Where Trusted Types are not required, the policy may be missing.
  const tolerant = await serveFolder(project, {
    'Content-Security-Policy': `${policy}; trusted-types another`,
  });
  await page.goto(`${tolerant.url}?broker=${encodeURIComponent(broker.mqtt)}`);
  await expect(page.getByText(/^\w+: /)).toHaveText(works);
  await Promise.all([strict, forbidding, tolerant].map((site) => site.stop()));
});

test('the worker and the wasm come from another origin, alone and with the library', async ({ page }) => {
  const project = await createProject('cdn', 'package-test/projects/common', 'package-test/projects/cdn');
  const files = join(project, 'node_modules/mqttwasm/dist');
  const cdn = await serveFolder(files, { 'Access-Control-Allow-Origin': '*' });
  const { origin } = new URL(cdn.url);
  const policed = (scripts: string): Promise<Site> =>
    serveFolder(project, {
      'Content-Security-Policy': `default-src 'self'; script-src ${scripts}; worker-src 'self' blob: ${origin}; connect-src 'self' ws: ${origin}${trustedTypes}`,
    });
  const alone = await policed("'self' 'wasm-unsafe-eval'");
  const lines = works.map((line) =>
    line.startsWith('shared') ? /^shared: bad-option sharedWorkerUrl: is missing/ : line,
  );
  await expectAll(page, `${alone.url}?own&cdn=${encodeURIComponent(cdn.url)}`, lines);
  const whole = await policed(`'self' 'wasm-unsafe-eval' ${origin}`);
  // A shared client falls back to a dedicated worker.
  await expectAll(page, `${whole.url}?cdn=${encodeURIComponent(cdn.url)}`);
  await Promise.all([cdn, alone, whole].map((site) => site.stop()));
});

const runtimes: Record<string, [command: string, ...args: string[]]> = {
  node: [process.execPath],
  'node 22': [installed('node22/bin/node')],
  deno: [installed('@deno/linux-x64-glibc/deno'), 'run', '--allow-net', '--allow-read', '--allow-env'],
  bun: [installed('@oven/bun-linux-x64/bin/bun')],
};

for (const [name, [command, ...args]] of Object.entries(runtimes)) {
  test(`${name}, with the WebSocket of ws and with the built-in one, and it exits by itself`, async () => {
    const elsewhere = process.platform !== 'linux' || process.arch !== 'x64';
    test.skip(name !== 'node' && elsewhere, 'what is installed is for Linux on x64');
    const project = await createProject(
      name.replace(' ', ''),
      'package-test/projects/common',
      'package-test/projects/node',
    );
    // Deno caches compiled code.
    const env = `DENO_DIR=${join(project, 'deno')}`;
    const printed = (...rest: string[]) => run('env', [env, command, ...args, ...rest, broker.mqtt], project);
    expect(await printed('main.js')).toBe('node: it works\ncompat: it works\n');
    // The flag is needed before Node 22.
    const flags = name === 'node' ? ['--experimental-websocket'] : [];
    expect(await printed(...flags, 'own.js')).toBe('node: it works\n');
    if (name !== 'deno') expect(await printed('refused.js')).toBe('network\n');
    expect(await printed('addresses.js')).toBe('node: it works\ncrashed\n');
    if (name.startsWith('node')) return;
    expect(await printed('workers.js')).toBe('worker: it works\nshared: it works\n');
  });
}

test('the types, in browsers without Node types, and in Node without DOM types', async () => {
  const project = await createProject('types', 'package-test/projects/types');
  await run(tsc, ['-p', 'tsconfig.browser.json'], project);
  await run(tsc, ['-p', 'tsconfig.node.json'], project);
});

test('publint and attw report no problems', async () => {
  const folder = join(tarball(), '..');
  await run(tool('publint'), ['--strict', '--pack', 'npm'], folder);
  await run(tool('attw'), [tarball(), '--profile', 'esm-only'], folder);
});

test('the package contains the expected files and no others', async () => {
  const files = (await run('tar', ['-tzf', tarball()], '.')).trim().split('\n');
  const first = files.filter((file) => !file.includes('/types/'));
  expect(first.sort()).toEqual(
    [
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'THIRD-PARTY.txt',
      'dist/brokers.js',
      'dist/client.js',
      'dist/compat.js',
      'dist/draw.js',
      'dist/elements.js',
      'dist/index.js',
      'dist/inline.js',
      'dist/mqttwasm-shared.js',
      'dist/mqttwasm-worker.js',
      'dist/mqttwasm.wasm',
      'dist/packet.js',
      'dist/property-reader.js',
      'dist/receiving.js',
      'dist/restart-after-crash.js',
      'dist/scram.js',
      'dist/shared-host.js',
      'dist/texts.js',
      'dist/user-callbacks.js',
      'docs/api/README.md',
      'docs/api/client.md',
      'docs/api/elements.md',
      'docs/brokers/README.md',
      'docs/brokers/aws.md',
      'docs/brokers/azure.md',
      'docs/brokers/emqx.md',
      'docs/brokers/hivemq.md',
      'docs/brokers/home-assistant.md',
      'docs/brokers/mosquitto.md',
      'docs/brokers/nanomq.md',
      'docs/brokers/rabbitmq.md',
      'docs/brokers/vernemq.md',
      'docs/elements.md',
      'docs/limits.md',
      'docs/moving-from-mqttjs.md',
      'docs/reconnecting.md',
      'docs/troubleshooting.md',
      'package.json',
    ].map((file) => `package/${file}`),
  );
});

test('the package names its licence, and includes those of bundled code', async () => {
  const inPackage = (file: string) => run('tar', ['-xzOf', tarball(), `package/${file}`], '.');
  expect(JSON.parse(await inPackage('package.json'))).toMatchObject({ license: 'MIT' });
  expect(await inPackage('LICENSE')).toContain('MIT License\n\nCopyright (c) 2026 the mqttwasm authors\n');
  const bundled = (await inPackage('THIRD-PARTY.txt')).match(/^== .*$/gm);
  expect(bundled).toEqual(expect.arrayContaining(['== Go', '== github.com/eclipse/paho.golang', '== idb']));
});

test('the API reference matches the types', async () => {
  const folder = test.info().outputPath('api');
  await run(tool('typedoc'), ['--out', folder], fileURLToPath(new URL('..', import.meta.url)));
  const kept = new URL('../docs/api/', import.meta.url);
  const names = (await readdir(folder)).sort();
  expect(names).toEqual((await readdir(kept)).sort());
  for (const name of names) {
    const [was, is] = await Promise.all([
      readFile(new URL(name, kept), 'utf8'),
      readFile(join(folder, name), 'utf8'),
    ]);
    expect(is, 'make docs brings it up to date').toBe(was);
  }
});
