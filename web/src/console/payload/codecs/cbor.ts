/** CBOR (RFC 8949). cborg reads the tokens: its decoder recurses, and knows neither unknown tags nor all keys. */

import { encode as encodeValue, Tokenizer, Type } from 'cborg';
import { t } from '../../core/i18n/i18n';
import { hex } from '../../core/text';
import { PayloadError } from '../error';
import { createNest } from '../nest';
import { bytesLeaf, type Leaf, numberLeaf, stringLeaf, timeNote } from '../scalars';
import type { Sink } from '../sink';
import { integers, parseValue } from '../value';

const options = { allowIndefinite: true, allowUndefined: true, allowBigInt: true };

/** Bytes of the largest bignum that is shown as a decimal number. */
const bignum = 64;

function withTags([kind, text, note]: Leaf, tags: number[], value: unknown): Leaf {
  const notes = tags.map((tag) => t('tag {number}', { number: String(tag) }));
  const tag = tags.at(-1);
  if ((tag === 2 || tag === 3) && value instanceof Uint8Array && value.length <= bignum) {
    const size = BigInt(`0x${hex(value).replaceAll(' ', '') || '0'}`);
    return ['number', String(tag === 2 ? size : -1n - size), notes.join(', ')];
  }
  const time = tag === 1 && typeof value === 'number' ? timeNote(value * 1000) : undefined;
  const all = [note, ...notes, time].filter((part) => part !== undefined);
  return all.length ? [kind, text, all.join(', ')] : [kind, text];
}

/** Throws PayloadError, and what cborg throws. */
export function decode(payload: Uint8Array, out: Sink): void {
  const nest = createNest(out);
  let tokens = new Tokenizer(payload, options);
  let start = 0;
  const at = () => start + tokens.pos();
  let tags: number[] = [];

  /** A string in chunks (3.2.3), which cborg does not read. */
  function pieces(type: Type): Uint8Array | string {
    start = at() + 1;
    tokens = new Tokenizer(payload.subarray(start), options);
    const strings: string[] = [];
    const bytes: number[][] = [];
    for (;;) {
      const token = next();
      if (Type.equals(token.type, Type.break)) break;
      if (!Type.equals(token.type, type))
        throw new PayloadError(() =>
          t('a string in chunks has a chunk of type {type}', { type: token.type.name }),
        );
      if (typeof token.value === 'string') strings.push(token.value);
      else bytes.push(Array.from(token.value));
    }
    return Type.equals(type, Type.string) ? strings.join('') : Uint8Array.from(bytes.flat());
  }

  function next() {
    if (tokens.done()) throw new PayloadError(() => t('the payload ends in the middle of a value'));
    return tokens.next();
  }

  function leaf(value: unknown): void {
    const shown =
      typeof value === 'string'
        ? stringLeaf(value)
        : value instanceof Uint8Array
          ? bytesLeaf(value)
          : typeof value === 'number' || typeof value === 'bigint'
            ? numberLeaf(value)
            : (['word', String(value)] as const);
    nest.leaf(withTags(shown, tags, value));
    tags = [];
  }

  while (!nest.done && !out.full) {
    const first = payload[at()];
    if (first === 0x5f || first === 0x7f) {
      leaf(pieces(first === 0x5f ? Type.bytes : Type.string));
      continue;
    }
    const { type, value } = next();
    if (Type.equals(type, Type.tag)) {
      tags.push(value);
      // Tags are not values, so no other limit stops a megabyte of them.
      if (tags.length > 16) throw new PayloadError(() => t('more than 16 tags on one value'));
    } else if (Type.equals(type, Type.break)) {
      if (tags.length) throw new PayloadError(() => t('a tag without a value'));
      nest.end();
    } else if (Type.equals(type, Type.array) || Type.equals(type, Type.map)) {
      const note = tags.map((tag) => t('tag {number}', { number: String(tag) })).join(', ');
      tags = [];
      nest.begin(Type.equals(type, Type.map), value, note || undefined);
    } else leaf(value);
  }
  const rest = payload.length - at();
  if (nest.done && rest > 0)
    throw new PayloadError(() => t('{count} more bytes follow the value', { count: rest }));
}

/** From JSON, with the keys in the order in which they were typed. */
export function encode(text: string): Uint8Array {
  return encodeValue(parseValue(text, integers.cbor), { mapSorter: () => 0 });
}
