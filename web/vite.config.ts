import { defineConfig } from 'vite';
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

export default defineConfig({
  base: './',
  worker: { format: 'es' },
  plugins: [serviceWorker(), compress()],
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
        codeSplitting: { groups: [clientChunk] },
        entryFileNames: (chunk) => stable[chunk.name] ?? 'assets/[name]-[hash].js',
      },
    },
  },
});
