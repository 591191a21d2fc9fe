import { expect, it } from 'vitest';
import { numbersIn } from './numbers';

const bytes = (text: string) => Uint8Array.from(text.split(' '), (byte) => Number.parseInt(byte, 16));

it.each([
  ['c8', { Byte: 'uint8 200, int8 -56, bits 11001000' }],
  ['01', { Byte: 'uint8 1, bits 00000001' }],
  ['21 34', { 'Big-endian': 'uint16 8500', 'Little-endian': 'uint16 13345' }],
  ['ff fe', { 'Big-endian': 'uint16 65534, int16 -2', 'Little-endian': 'uint16 65279, int16 -257' }],
  [
    '41 51 99 9a',
    {
      'Big-endian': 'uint32 1095866778, float 13.1',
      'Little-endian': 'uint32 2593739073, int32 -1701228223',
    },
  ],
  ['00 00 00 00', { 'Big-endian': 'uint32 0', 'Little-endian': 'uint32 0' }],
  [
    '3f b9 99 99 99 99 99 9a',
    {
      'Big-endian': 'uint64 4591870180066957722, double 0.1',
      'Little-endian': 'uint64 11140104038263667007, int64 -7306640035445884609',
    },
  ],
  [
    '00 b8 ff fe 05 34 08 ce fe fc',
    {
      'Big-endian': 'int16 184, -2, 1332, 2254, -260',
      'Little-endian': 'int16 -18432, -257, 13317, -12792, -770',
    },
  ],
  ['01 02 03', {}],
  ['01 02 03 04 05 06 07 08 09', {}],
])('%s', (text, expected) => {
  expect(Object.fromEntries(numbersIn(bytes(text)))).toEqual(expected);
});

it('of many bytes nothing is told', () => {
  expect(numbersIn(new Uint8Array(42))).toEqual([]);
});
