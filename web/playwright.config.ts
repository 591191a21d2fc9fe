import { existsSync } from 'node:fs';
import { defineConfig } from '@playwright/test';

const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
);
const shell = ['/usr/bin/chromium-headless-shell'].find(existsSync);

const launchOptions = {
  ...(chromium ? { executablePath: chromium } : {}),
  args: [
    '--no-sandbox',
    '--disable-quic',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
};

// `make test-e2e` runs three files at a time, then two at a time the tests tagged @timed,
// which mostly wait and allow a second more than their time limit, and at last, one by
// one, those tagged @alone, which measure how responsive the page is.
export default defineConfig({
  testDir: 'e2e',
  workers: 1,
  retries: 0,
  forbidOnly: true,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: [['list']],
  reportSlowTests: { max: 12, threshold: 30_000 },
  outputDir: 'test-results',
  use: {
    browserName: 'chromium',
    // They are tested by themselves (page-offline.spec.ts); elsewhere the server is what is tested.
    serviceWorkers: 'block',
    viewport: { width: 1280, height: 800 },
    launchOptions,
  },
  // Chromium without its windows opens a page in half the time, and most tests do
  // little else. Those that launch a browser of their own take the whole one.
  projects: [
    { name: 'page', use: shell ? { launchOptions: { ...launchOptions, executablePath: shell } } : {} },
  ],
});
