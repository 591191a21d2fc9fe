import { createHash } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import type { Plugin } from 'vite';

const worker = 'sw.js';
const page = 'index.html';
/** Stands in the page and in the service worker for what is known only when all is built. */
const place = '__BUILD__';

/**
 * Names the build after all that is in it, and tells the page its name, and the
 * service worker its name and files.
 */
export function serviceWorker(): Plugin {
  let outDir = '';
  return {
    name: 'service-worker',
    apply: 'build',
    configResolved(config) {
      outDir = resolve(config.root, config.build.outDir);
    },
    generateBundle(_options, bundle) {
      const chunk = bundle[worker];
      // Not every browser lets a service worker import.
      if (chunk?.type !== 'chunk' || chunk.imports.length > 0 || chunk.exports.length > 0) {
        this.error(`${worker} must be a script by itself`);
      }
    },
    writeBundle: {
      order: 'post',
      sequential: true,
      async handler() {
        const names = await filesIn(outDir);
        const hash = createHash('sha256');
        for (const name of names) hash.update(name).update(await readFile(join(outDir, name)));
        const version = hash.digest('hex').slice(0, 16);

        await replace(join(outDir, page), version);
        const versioned = [...(await readFile(join(outDir, page), 'utf8')).matchAll(/"\.\/([^"]*\?[^"]*)"/g)];
        const files = names.filter((name) => name !== page && name !== worker);
        for (const [, address = ''] of versioned) files[files.indexOf(address.replace(/\?.*/, ''))] = address;
        await replace(join(outDir, worker), JSON.stringify({ version, files }));
      },
    },
  };
}

/** Relative to the folder, sorted, without those whose name begins with a dot. */
async function filesIn(folder: string): Promise<string[]> {
  const names = (await readdir(folder, { recursive: true })).map((name) => name.split(sep).join('/'));
  const visible = names.filter((name) => !name.split('/').some((part) => part.startsWith('.'))).sort();
  const kinds = await Promise.all(visible.map(async (name) => (await stat(join(folder, name))).isFile()));
  return visible.filter((_, index) => kinds[index]);
}

async function replace(file: string, text: string): Promise<void> {
  const before = await readFile(file, 'utf8');
  if (!before.includes(place)) throw new Error(`${file} has no ${place}`);
  await writeFile(
    file,
    before.replaceAll(place, () => text),
  );
}
