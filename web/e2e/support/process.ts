import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';

/**
 * A TCP port that was free a moment ago, below the ephemeral range: tests running in parallel open thousands
 * of outgoing connections.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer();
    const free = await new Promise<boolean>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'EADDRINUSE') resolve(false);
        else reject(error);
      });
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

export interface Running {
  process: ChildProcess;
  /** Everything printed so far. */
  output(): string;
  /** Resolves when the output matches; rejects if the process ends first. */
  printed(pattern: RegExp): Promise<RegExpMatchArray>;
  stop(): Promise<void>;
}

export function start(command: string, args: string[], env: NodeJS.ProcessEnv = {}): Running {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  const watchers = new Set<() => void>();
  const changed = () => {
    for (const watch of [...watchers]) watch();
  };
  let ended = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      changed();
    });
  }
  const exit = new Promise<void>((resolve) => {
    const end = () => {
      ended = true;
      changed();
      resolve();
    };
    child.once('exit', end);
    child.once('error', (error) => {
      text += String(error);
      end();
    });
  });
  return {
    process: child,
    output: () => text,
    printed: (pattern) =>
      new Promise((resolve, reject) => {
        const watch = () => {
          const match = text.match(pattern);
          if (!match && !ended) return;
          watchers.delete(watch);
          if (match) resolve(match);
          else reject(new Error(`${command} ended before it printed ${pattern}:\n${text}`));
        };
        watchers.add(watch);
        watch();
      }),
    stop: async () => {
      if (!ended) child.kill('SIGTERM');
      await exit;
    },
  };
}
