/** Calls to a worker, while it runs. It must be of this build: its script may come from a cache. */

import type { FromWorker, ToWorker } from '../../protocol/messages';
import { protocolVersion } from '../../protocol/version';
import { createCalls, type Engine } from './calls';
import { createWatchdog } from './watchdog';

interface Ends {
  /** Nothing works any more: call `unwatch`. */
  onFailed(): void;
  /** A client has ended. */
  onEnd?(): void;
  /** It no longer answers, and is about to fail. */
  onSilent?(): void;
}

export function createWorkerCalls(
  script: URL,
  post: (message: ToWorker | { type: 'probe' }, transfer?: Transferable[]) => void,
  { onFailed, onEnd, onSilent }: Ends,
) {
  let checked = false;
  const { heard, end, doubt, doubted } = createWatchdog(
    () => post({ type: 'probe' }),
    () => {
      onSilent?.();
      fail('the worker does not answer');
    },
    () => !idle(),
  );
  const { boundary, ready, receive, idle, ...calls } = createCalls(post, onFailed, onEnd, doubt);

  function fail(message: string): void {
    calls.fail({ code: 'crashed', message });
  }

  function hear(message: FromWorker): void {
    heard();
    // A worker that could not start sends only why.
    if (!checked && message.type !== 'fatal') {
      // Older ones send no hello, or one without a version.
      const version: number | undefined = message.type === 'hello' ? message.version : undefined;
      if (version !== protocolVersion) {
        fail(otherBuild(script, version));
        return;
      }
      checked = true;
    }
    receive(message);
  }

  const engine: Engine = { boundary, ready, doubt, doubted };
  return { engine, hear, fail, idle, unwatch: end };
}

function otherBuild(script: URL, version: number | undefined): string {
  return (
    `the worker script at ${script} is from another build than this page ` +
    `(protocol version ${version ?? 'none'}, not ${protocolVersion}). ` +
    'Reload all tabs of this site, or copy the worker files of this version to the server'
  );
}
