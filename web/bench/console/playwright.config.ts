import { defineConfig } from '@playwright/test';
import tests from '../../playwright.config';

const { projects: _, ...config } = tests;

/** The same browser as the tests, in the full build. */
export default defineConfig({
  ...config,
  testDir: '.',
  testMatch: '*.bench.ts',
  timeout: 0,
  workers: 1, // measurements need the whole machine
  outputDir: '../../test-results/bench-console',
});
