import { defineConfig } from 'vite';
import { compress } from './scripts/compress.ts';
import { serviceWorker } from './scripts/service-worker.ts';

// One build makes the page, the library it is built on, and the service worker.
// The last two keep their names; everything else is named after its content.
const stable: Record<string, string> = { mqttwasm: 'mqttwasm.js', sw: 'sw.js' };

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
      input: { index: 'index.html', mqttwasm: 'src/client/index.ts', sw: 'src/console/install/sw.ts' },
      preserveEntrySignatures: 'exports-only',
      output: {
        // One chunk of what every page with a client needs, which compresses better than several.
        // What it needs once it is connected is `receiving`, which loads while the program does.
        advancedChunks: {
          groups: [
            {
              name: 'client',
              test: /src\/(client\/(?!packet|reason-codes|receiving|message|property-reader|iterator-buffer|subscription|request|auth|routing\/(?!topic-filter)|transport\/(restart|resent|shared))|platform\/(?!liveness-lock)|protocol)/,
            },
          ],
        },
        entryFileNames: (chunk) => stable[chunk.name] ?? 'assets/[name]-[hash].js',
      },
    },
  },
});
