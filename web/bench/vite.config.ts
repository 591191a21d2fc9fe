import { defineConfig } from 'vite';

// The benchmark's page and its worker. The other clients are served as published.
export default defineConfig({
  root: 'bench/page',
  base: '/bench/',
  logLevel: 'warn',
  worker: { format: 'es' },
  build: { target: 'es2022', outDir: '../dist', emptyOutDir: true, modulePreload: { polyfill: false } },
});
