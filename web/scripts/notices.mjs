// The licences of what the package is built of.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Go modules that the wasm links, Go itself, and the npm packages in the bundles. */
export function notices(web) {
  const go = (...args) =>
    execFileSync('go', args, {
      cwd: join(web, '..'),
      env: { ...process.env, GOOS: 'js', GOARCH: 'wasm' },
      encoding: 'utf8',
    }).trim();
  const linked = go(
    'list',
    '-deps',
    '-f',
    '{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Dir}}{{end}}{{end}}',
    './wasm',
  );
  const modules = [...new Set(linked.split('\n').filter(Boolean))].map((line) => line.split('\t'));
  const parts = [['Go', go('env', 'GOROOT')], ...modules, ['idb', join(web, 'node_modules/idb')]];
  return parts.map(([name, dir]) => `== ${name}\n\n${licence(name, dir)}\n`).join('\n');
}

function licence(name, dir) {
  const files = readdirSync(dir).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
  if (files.length === 0) throw new Error(`${name} has no licence in ${dir}`);
  return files.map((file) => readFileSync(join(dir, file), 'utf8').trim()).join('\n\n');
}
