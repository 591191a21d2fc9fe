import { deflateSync, gzipSync } from 'node:zlib';
import { encode } from 'cborg';
import { expect, it } from 'vitest';
import { createChoices } from './choices';
import type { Readable } from './guess';
import { previewOf } from './preview';

const { recall } = createChoices();

async function rowOf(payload: Uint8Array) {
  const message: Readable = { topic: 'a', payload, properties: {} };
  await previewOf(message, recall).ready;
  const { kind, format, text } = previewOf(message, recall);
  return { kind, format, text };
}

it.each([
  ['gzip', gzipSync],
  ['zlib', deflateSync],
] as const)('a row shows what is in a payload compressed with %s', async (by, pack) => {
  const shown = (text: string, format = by as string) => ({ kind: 'decoded', format, text });
  expect(await rowOf(pack('{"t":20.8}'))).toEqual(shown('{t: 20.8}'));
  expect(await rowOf(pack('warm'))).toEqual(shown('warm'));
  expect(await rowOf(pack(encode({ t: 7 })))).toEqual(shown('{t: 7}', `${by} CBOR`));
  // What is in it is not unpacked again.
  expect(await rowOf(pack(gzipSync('x').subarray(0, 4)))).toEqual(shown('1f 8b 08 00'));
  // Larger than what a row decodes: the head of what may be gigabytes.
  expect(await rowOf(pack('x'.repeat(100_000)))).toEqual(shown('x'.repeat(512)));
  expect(await rowOf(pack(encode('x'.repeat(100_000))))).toMatchObject({ kind: 'decoded', format: by });
  expect((await rowOf(pack('x').subarray(0, -1))).kind).toBe('binary');
});
