import { defineConfig } from '@playwright/test';
import tests from '../../playwright.config';

const { projects: _, ...config } = tests;

/** The tests' browser, the whole one. */
export default defineConfig({
  ...config,
  testDir: '.',
  testMatch: '*.bench.ts',
  timeout: 0,
  workers: 1, // a measurement wants the machine for itself
  outputDir: '../../test-results/bench-console',
});
