/** Separate projects that use the package as packed. */

import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type OutgoingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const here = fileURLToPath(new URL('.', import.meta.url));
const web = fileURLToPath(new URL('..', import.meta.url));

/** Rejects with the output if the command fails. */
export async function run(command: string, args: string[], cwd: string): Promise<string> {
  try {
    return (await promisify(execFile)(command, args, { cwd })).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}\n${stderr}`, { cause: error });
  }
}

/** The tarball of `make package`. */
export function tarball(): string {
  const folder = join(web, 'package');
  const [name] = readdirSync(folder).filter((file) => file.endsWith('.tgz'));
  if (!name) throw new Error('there is no package; run make package');
  return join(folder, name);
}

/** A new folder with copies of these folders in web/ and the package installed. */
export async function createProject(name: string, ...from: string[]): Promise<string> {
  const folder = join(here, 'work', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  // Install before copying package.json: its other dependencies are in web/package-test/node_modules.
  const quiet = ['--offline', '--no-audit', '--no-fund', '--no-package-lock', '--no-save'];
  await run('npm', ['install', '--prefix', folder, ...quiet, tarball()], folder);
  for (const source of from) cpSync(join(web, source), folder, { recursive: true });
  return folder;
}

/** A file in the projects' shared dependencies. */
export function installed(path: string): string {
  return join(here, 'node_modules', path);
}

export function tool(name: string): string {
  return installed(`.bin/${name}`);
}

export const tsc = join(web, 'node_modules/.bin/tsc');

const types: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.wasm': 'application/wasm',
};

/** Exactly what the package needs according to docs/security.md. */
export const policy =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self' ws:";

export const trustedTypes = "; require-trusted-types-for 'script'; trusted-types mqttwasm";

export interface Site {
  url: string;
  stop(): Promise<void>;
}

export async function serveFolder(
  folder: string,
  headers: OutgoingHttpHeaders = { 'Content-Security-Policy': policy },
): Promise<Site> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://localhost');
    const file = join(folder, pathname.replace(/^\/app\/$/, '/app/index.html').replace(/^\/app\//, ''));
    try {
      const body = readFileSync(file);
      response.writeHead(200, {
        'Content-Type': types[extname(file)] ?? 'application/octet-stream',
        ...headers,
      });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/app/`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
