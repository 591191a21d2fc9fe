import { defineConfig } from 'vite';

// One build makes the page and the library it is built on. The library keeps
// the stable name /mqttwasm.js; everything else is named after its content.
export default defineConfig({
  base: './',
  worker: { format: 'es' },
  build: {
    target: 'es2022',
    outDir: 'dist',
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
