/** Which numbers a few bytes could be: those of a PLC, a gateway or a sensor say neither type nor order. */

import { t } from '../core/i18n/i18n';
import { floatLeaf } from './scalars';

/** Bytes of several numbers; more are no list to be read. */
const most = 40;

type Size = 1 | 2 | 4 | 8;

function whole(view: DataView, size: Size, little: boolean): [unsigned: bigint, signed: bigint] {
  const order = little ? [...Array(size).keys()].reverse() : [...Array(size).keys()];
  const unsigned = order.reduce((value, at) => value * 256n + BigInt(view.getUint8(at)), 0n);
  return [unsigned, BigInt.asIntN(8 * size, unsigned)];
}

/** As text, if somebody would have sent such a number. */
function fraction(view: DataView, size: Size, little: boolean): string | undefined {
  const value = size === 4 ? view.getFloat32(0, little) : view.getFloat64(0, little);
  const likely = Math.abs(value) > 1e-6 && Math.abs(value) < 1e9;
  return likely ? `${size === 4 ? `float ${floatLeaf(value)[1]}` : `double ${value}`}` : undefined;
}

function one(view: DataView, size: Size, little: boolean): string {
  const [unsigned, signed] = whole(view, size, little);
  const parts = [`uint${8 * size} ${unsigned}`];
  if (signed < 0n) parts.push(`int${8 * size} ${signed}`);
  const fractional = size >= 4 ? fraction(view, size, little) : undefined;
  if (fractional) parts.push(fractional);
  if (size === 1) parts.push(`bits ${unsigned.toString(2).padStart(8, '0')}`);
  return parts.join(', ');
}

export function numbersIn(bytes: Uint8Array): [name: string, value: string][] {
  const { length } = bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  if (length === 1) return [[t('Byte'), one(view, 1, false)]];
  const isOne = length === 2 || length === 4 || length === 8;
  if (!isOne && (length < 4 || length % 2 > 0 || length > most)) return [];
  const all = (little: boolean) =>
    isOne
      ? one(view, length, little)
      : `int16 ${Array.from({ length: length / 2 }, (_, at) => view.getInt16(2 * at, little)).join(', ')}`;
  return [
    [t('Big-endian'), all(false)],
    [t('Little-endian'), all(true)],
  ];
}
