import { defineConfig } from 'vite';
import { compress } from './scripts/compress.ts';

// One build makes the page and the library it is built on. The library keeps
// the stable name /mqttwasm.js; everything else is named after its content.
export default defineConfig({
  base: './',
  worker: { format: 'es' },
  plugins: [compress()],
  build: {
    target: 'es2022',
    outDir: 'dist',
    manifest: true, // for scripts/size.mjs
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: { index: 'index.html', mqttwasm: 'src/client/index.ts' },
      preserveEntrySignatures: 'exports-only',
      output: {
        entryFileNames: (chunk) => (chunk.name === 'mqttwasm' ? 'mqttwasm.js' : 'assets/[name]-[hash].js'),
      },
    },
  },
});
