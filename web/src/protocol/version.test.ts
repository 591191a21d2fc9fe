import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { protocolVersion } from './version';

/** Hashes of the message types of each version that may be deployed: never change one, only add. */
const fingerprints: Record<number, string> = {
  1: 'c3aaaae2bf7fdbff',
  2: 'b43422ad72f5c9d9',
};

/** The source without comments and whitespace. */
function bare(file: string): string {
  const source = readFileSync(new URL(file, import.meta.url), 'utf8');
  return source.replace(/\/\*[\s\S]*?\*\/|\/\/.*|\s/g, '');
}

test('a change of the message types requires a new version', () => {
  const crosses = ['boundary.ts', 'messages.ts'].map(bare).join('\n');
  const fingerprint = createHash('sha256').update(crosses).digest('hex').slice(0, 16);
  const what =
    'boundary.ts or messages.ts has changed: raise protocolVersion in version.ts, unless it was raised ' +
    `since the last release, and write here as the fingerprint of that version: ${fingerprint}`;
  expect(fingerprints[protocolVersion], what).toBe(fingerprint);
});
