import { defineConfig } from '@playwright/test';
import all from '../playwright.config';

// Builds are slow. Every port is random, so tests can run in parallel.
export default defineConfig(all, {
  fullyParallel: true,
  workers: 2,
  testDir: '.',
  testIgnore: 'package-test/work/**',
  outputDir: '../test-results/package',
  timeout: 120_000,
});
