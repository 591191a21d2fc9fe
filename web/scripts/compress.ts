import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import type { Plugin } from 'vite';

const brotli = promisify(zlib.brotliCompress);
const gzip = promisify(zlib.gzip);

const compressible = new Set([
  '.css',
  '.html',
  '.js',
  '.json',
  '.map',
  '.svg',
  '.txt',
  '.wasm',
  '.webmanifest',
]);
/** Below this a response fits the first packets anyway. */
const minimumSize = 1024;
/** A copy must save this much to be worth its place in the binary. */
const worthwhile = 0.95;

const encoders: Record<string, (data: Buffer) => Promise<Buffer>> = {
  '.br': (data) =>
    brotli(data, {
      params: {
        [zlib.constants.BROTLI_PARAM_QUALITY]: zlib.constants.BROTLI_MAX_QUALITY,
        [zlib.constants.BROTLI_PARAM_LGWIN]: zlib.constants.BROTLI_MAX_WINDOW_BITS,
        [zlib.constants.BROTLI_PARAM_SIZE_HINT]: data.length,
      },
    }),
  '.gz': (data) => gzip(data, { level: 9 }),
};

/**
 * Writes brotli and gzip copies beside the built files, for the server to embed.
 * The best compression of the wasm takes several seconds, so copies are kept in
 * Vite's cache under the hash of what they were made from.
 */
export function compress(): Plugin {
  let outDir = '';
  let cacheDir = '';
  return {
    name: 'compress',
    apply: 'build',
    configResolved(config) {
      outDir = resolve(config.root, config.build.outDir);
      cacheDir = join(config.cacheDir, 'compressed');
    },
    generateBundle() {
      // Emptying the output directory removes the committed file that lets
      // Go's embed pattern match before the first build.
      this.emitFile({ type: 'asset', fileName: '.gitkeep', source: '' });
    },
    writeBundle: {
      order: 'post',
      sequential: true,
      async handler() {
        await mkdir(cacheDir, { recursive: true });
        const stale = new Set(await readdir(cacheDir));
        const names = await readdir(outDir, { recursive: true });
        await Promise.all(
          names
            .filter((name) => compressible.has(extname(name)) && !name.startsWith('.'))
            .map(async (name) => {
              const data = await readFile(join(outDir, name));
              if (data.length < minimumSize) return;
              const hash = createHash('sha256').update(data).digest('hex');
              for (const [extension, encode] of Object.entries(encoders)) {
                stale.delete(hash + extension);
                const copy = await cached(join(cacheDir, hash + extension), () => encode(data));
                if (copy.length < data.length * worthwhile)
                  await writeFile(join(outDir, name + extension), copy);
              }
            }),
        );
        await Promise.all([...stale].map((name) => rm(join(cacheDir, name))));
      },
    },
  };
}

async function cached(path: string, make: () => Promise<Buffer>): Promise<Buffer> {
  const kept = await readFile(path).catch(() => undefined);
  if (kept) return kept;
  const made = await make();
  await writeFile(path, made);
  return made;
}
