/** The output folder of `-static` on a plain static host. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { expect, test } from '@playwright/test';
import { binary, startServer } from './support/brokers';
import { partsOf } from './support/page';
import { start } from './support/process';

const types: Record<string, string> = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

/** Serves the folder under a path, like GitHub project pages, with the headers in its `_headers` file. */
function host(folder: string) {
  const headers = readFileSync(join(folder, '_headers'), 'utf8')
    .split('\n')
    .flatMap((line) => (line.startsWith('  ') ? [line.trim().split(/: (.*)/, 2) as [string, string]] : []));
  return createServer((request, response) => {
    const path = request.url?.replace('/project/', '') || 'index.html';
    for (const [name, value] of headers) response.setHeader(name, value);
    try {
      const body = readFileSync(join(folder, path));
      response.setHeader('Content-Type', types[extname(path)] ?? 'application/octet-stream').end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
}

test('the page works from a static host, with the brokers configured at export', async ({ page }) => {
  const dir = mkdtempSync(join(tmpdir(), 'static-'));
  const folder = join(dir, 'site');
  const web = createServer();
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  const address = web.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const origin = `http://127.0.0.1:${address.port}`;
  const server = await startServer(['-allow-origin', origin]);
  writeFileSync(join(dir, 'brokers.json'), JSON.stringify([{ name: 'Ours', url: server.mqtt }]));
  const flags = ['-brokers', join(dir, 'brokers.json'), '-pin-brokers', '-csp-report', `${origin}/report`];
  const writing = start(binary, ['-static', folder, ...flags]);
  await new Promise((resolve) => writing.process.once('exit', resolve));

  const reports: string[] = [];
  const site = host(folder);
  web.on('request', (request, response) => {
    if (request.url === '/report') reports.push(request.url);
    site.emit('request', request, response);
  });
  await page.goto(`${origin}/project/`);
  const parts = partsOf(page);
  await expect(parts.status).toHaveText(`connected ${server.mqtt}`);
  await expect(parts.broker.locator('option')).toHaveText(['Ours', 'Custom']);
  await parts.publish.click();
  await expect(parts.rows.first()).toContainText('messages: 0');
  expect(reports).toEqual([]);

  web.closeAllConnections();
  await new Promise((resolve) => web.close(resolve));
  await server.stop();
  rmSync(dir, { recursive: true });
});
