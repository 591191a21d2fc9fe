import { defineConfig, type Plugin } from 'vite';
import { clientChunk } from './scripts/client-chunk.mjs';
import { compress } from './scripts/compress.ts';
import { serviceWorker } from './scripts/service-worker.ts';

// One build makes the page, the library it is built on with its other entries, and the
// service worker. All but the page keep their names; everything else is named after its
// content.
const stable: Record<string, string> = {
  mqttwasm: 'mqttwasm.js',
  brokers: 'mqttwasm-brokers.js',
  elements: 'elements.js',
  sw: 'sw.js',
};

/** Puts our own function in place of the bundler's, which is five times as long, and throws in a worker. */
const preload: Plugin = {
  name: 'preload',
  apply: 'build',
  enforce: 'pre',
  load: {
    filter: { id: /^\0vite\/preload-helper\.js$/ },
    handler: () => "export { preload as __vitePreload } from '/src/platform/preload.ts';",
  },
};

/** One chunk of what the page's lazy parts import, too: it compresses better than several. */
const sharedChunk = {
  name: 'shared',
  test: /node_modules\/(preact|@preact)\/|console\/(core\/(i18n\/i18n|limits|storage|text)|payload\/(error|value|codecs\/(base64|hex|json|table|text)))\.ts/,
};

export default defineConfig({
  base: './',
  worker: { format: 'es' },
  plugins: [preload, serviceWorker(), compress()],
  build: {
    target: 'es2022',
    outDir: 'dist',
    manifest: true, // for scripts/size.mjs
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: {
        index: 'index.html',
        mqttwasm: 'src/client/index.ts',
        brokers: 'src/brokers/index.ts',
        elements: 'src/elements/index.ts',
        sw: 'src/console/install/sw.ts',
      },
      preserveEntrySignatures: 'exports-only',
      output: {
        codeSplitting: { groups: [clientChunk, sharedChunk] },
        entryFileNames: (chunk) => stable[chunk.name] ?? 'assets/[name]-[hash].js',
      },
    },
  },
});
