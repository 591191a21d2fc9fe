import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environment: 'node',
    include: ['src/**/*.test.ts', 'bench/**/*.test.ts'],
    // A test waits for events; one that waits for longer than this hangs.
    testTimeout: 30_000,
    maxWorkers: '100%',
  },
});
