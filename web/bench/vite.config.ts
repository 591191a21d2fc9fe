import { defineConfig } from 'vite';

// The benchmark's page and its worker. The other clients are not in it: they
// are served as they were published.
export default defineConfig({
  root: 'bench/page',
  base: '/bench/',
  logLevel: 'warn',
  worker: { format: 'es' },
  build: { target: 'es2022', outDir: '../dist', emptyOutDir: true, modulePreload: { polyfill: false } },
});
