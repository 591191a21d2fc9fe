import { defineConfig } from '@playwright/test';
import all from '../playwright.config';

// Building takes its time. Every port is a random one, so tests run side by side.
export default defineConfig(all, {
  fullyParallel: true,
  workers: 2,
  testDir: '.',
  testIgnore: 'package-test/work/**',
  outputDir: '../test-results/package',
  timeout: 120_000,
});
