import { deflateSync, gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import type { Readable } from './guess';
import { read, readPlain } from './read';

const message = (payload: Uint8Array): Readable => ({ topic: 'a', payload, properties: {} });

it.each([
  ['gzip', gzipSync],
  ['zlib', deflateSync],
] as const)('a payload that is compressed with %s is unpacked', async (by, pack) => {
  const packed = message(pack('{"__class":"ValetudoMap"}'));
  const shown = await read(packed, {}, 0);
  expect(shown).toMatchObject({ kind: 'lines', format: 'json', unpacked: { by } });
  expect(await readPlain(packed, {})).toBe('{\n  "__class": "ValetudoMap"\n}');
  expect(await read(packed, { format: 'hex' }, 0)).toMatchObject({ kind: 'text', format: 'hex' });
  for (const not of [
    packed.payload.subarray(0, -1),
    pack(new Uint8Array(9 * 1024 * 1024)),
    pack('x').subarray(0, 3),
  ]) {
    const bare = await read(message(not), {}, 0);
    expect(bare).toMatchObject({ kind: 'text', format: 'hex' });
    expect(bare.unpacked).toBeUndefined();
  }
});
