/**
 * A worker must be from this build: its script may come from a cache, and a shared one from an
 * older deployment.
 */

import type { WireError } from '../../protocol/boundary';
import type { FromWorker } from '../../protocol/messages';
import { protocolVersion } from '../../protocol/version';

/** Passes on the messages of a worker of this build. At the first message of another, `fail` is called. */
export function checkVersion(
  script: URL,
  receive: (message: FromWorker) => void,
  fail: (error: WireError) => void,
): (message: FromWorker) => void {
  let checked = false;
  return (message) => {
    // A worker that could not start sends only why.
    if (!checked && message.type !== 'fatal') {
      // Older ones send no hello, or one without a version.
      const version: number | undefined = message.type === 'hello' ? message.version : undefined;
      if (version !== protocolVersion) return fail({ code: 'crashed', message: explain(script, version) });
      checked = true;
    }
    receive(message);
  };
}

function explain(script: URL, version: number | undefined): string {
  return (
    `the worker script at ${script} is from another build than this page ` +
    `(protocol version ${version ?? 'none'}, not ${protocolVersion}). ` +
    'Reload all tabs of this site, or copy the worker files of this version to the server'
  );
}
