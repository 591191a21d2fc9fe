// Builds the benchmark's page, then runs main.ts. Node of the oldest supported
// version reads no TypeScript; Vite does.
import { build, runnerImport } from 'vite';

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));
process.chdir(new URL('..', import.meta.url).pathname);
await build({ configFile: 'bench/vite.config.ts' });
const { module } = await runnerImport('./bench/main.ts');
try {
  await module.main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
