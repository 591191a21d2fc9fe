import { defineConfig } from '@playwright/test';
import config from '../../playwright.config';

/** The tests' own browser. */
export default defineConfig({
  ...config,
  testDir: '.',
  testMatch: '*.bench.ts',
  timeout: 0,
  workers: 1, // a measurement wants the machine for itself
  outputDir: '../../test-results/bench-console',
});
