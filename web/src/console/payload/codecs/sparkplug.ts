/** Sparkplug B, whose payloads are Protobuf with types of their own inside. */

import type { Type } from 'protobufjs';
import { t } from '../../core/i18n/i18n';
import { decodeUtf8 } from '../../core/text';
import { bytesLeaf, numberLeaf, timeNote } from '../scalars';
import { readSchema } from '../schema';
import type { Sink } from '../sink';
import { integers, parseValue } from '../value';
import type { Context } from './codec';
import { decodeMessage, encodeMessage, type Fields, type Interpret, type Step } from './protobuf';
import source from './sparkplug.proto?raw';
import { arrayOf } from './sparkplug-arrays';
import { readFields } from './wire';

export const payloadType = readSchema([{ name: 'sparkplug.proto', text: source }]).root.lookupType(
  'sparkplug.Payload',
);

/** Negative integers are sent as unsigned ones; bits by data type. */
const signed: Record<number, number> = { 1: 8, 2: 16, 3: 32, 4: 64 };
const dateTime = 13;

interface Metric {
  name: string;
  /** Number of its data type; 0 where there is none. */
  type: number;
}

const metricType = payloadType.root.lookupType('sparkplug.Metric');
const idOf = (type: Type, field: string) => type.fields[field]?.id ?? 0;
const [metricsId, nameId, aliasId, typeId] = [
  idOf(payloadType, 'metrics'),
  idOf(metricType, 'name'),
  idOf(metricType, 'alias'),
  idOf(metricType, 'datatype'),
];

/** For as long as the BIRTHs are kept: many messages refer to one. */
const known = new WeakMap<Uint8Array, Map<bigint, Metric>>();

/** The metrics of a BIRTH by their aliases. */
function metricsIn(birth: Uint8Array): Map<bigint, Metric> {
  const before = known.get(birth);
  if (before) return before;
  const metrics = new Map<bigint, Metric>();
  known.set(birth, metrics);
  try {
    for (const { bytes } of readFields(birth).get(metricsId) ?? []) {
      const fields = readFields(bytes);
      const alias = fields.get(aliasId)?.at(-1)?.value;
      const name = fields.get(nameId)?.at(-1)?.bytes;
      if (alias === undefined || !name) continue;
      metrics.set(alias, {
        name: decodeUtf8(name) ?? '',
        type: Number(fields.get(typeId)?.at(-1)?.value ?? 0n),
      });
    }
  } catch {
    // A payload that can't be read names nothing.
  }
  return metrics;
}

type Named = Map<bigint, Metric> | undefined;

/**
 * The path to a metric's value is its name, since each message has other metrics, in another order.
 */
const stepsBy =
  (metrics: Named): Step =>
  (field, inner) => {
    if (field.partOf?.name === 'value') return null;
    if (field.resolvedType !== metricType) return undefined;
    return inner ? metricName(inner, metrics) : null;
  };

function metricName(fields: Fields, metrics: Named): string | undefined {
  const name = fields.get(nameId)?.at(-1)?.bytes;
  if (name) return decodeUtf8(name);
  const alias = fields.get(aliasId)?.at(-1)?.value;
  return alias === undefined ? undefined : (metrics?.get(alias)?.name ?? `alias ${alias}`);
}

/** Interprets aliases by the BIRTH that the message refers to. */
function interpretBy(metrics: Named): Interpret {
  function noteOf(alias: bigint): string {
    if (!metrics) return t('no BIRTH seen');
    const metric = metrics.get(alias);
    return metric ? t('{name} by its BIRTH', { name: JSON.stringify(metric.name) }) : t('not in its BIRTH');
  }

  return (field, { value, bytes }, among) => {
    if (field.name === 'timestamp') return ['number', String(value), timeNote(Number(value))];
    if (field.name === 'alias' && field.parent === metricType && !among.has(nameId)) {
      return ['number', String(value), noteOf(value)];
    }
    if (!['int_value', 'long_value', 'bytes_value'].includes(field.name)) return undefined;
    const described = field.parent?.get('datatype') ?? field.parent?.get('type');
    const id = described && 'id' in described ? Number(described.id) : 0;
    const stated = among.get(id)?.at(-1)?.value;
    const alias = field.parent === metricType ? among.get(aliasId)?.at(-1)?.value : undefined;
    const born = alias === undefined ? undefined : metrics?.get(alias);
    const type = Number(stated ?? born?.type ?? 0);
    if (type === dateTime && field.name === 'long_value')
      return ['number', String(value), timeNote(Number(value))];
    if (field.name === 'bytes_value') {
      const array = arrayOf(type, bytes);
      return array === undefined ? undefined : ['bytes', bytesLeaf(bytes)[1], array];
    }
    const bits = signed[type];
    return bits ? numberLeaf(BigInt.asIntN(bits, value)) : undefined;
  };
}

/** Throws PayloadError. */
export function decode(payload: Uint8Array, out: Sink, { birth }: Context = {}): void {
  const metrics = birth && metricsIn(birth);
  decodeMessage(payload, payloadType, out, interpretBy(metrics), stepsBy(metrics));
}

/** Names and values of the metrics alone. Throws PayloadError. */
export function inRow(payload: Uint8Array, out: Sink, { birth }: Context = {}): void {
  const metrics = birth && metricsIn(birth);
  let depth = 0;
  let name = '';
  const line: Sink = {
    get full() {
      return out.full;
    },
    open() {
      // Of the metrics: the payload, their list, and then each of them.
      if (++depth === 3) name = '';
    },
    leaf(kind, text, key, note) {
      if (depth !== 3) return;
      if (key === '"name"') name = text;
      else if (key === '"alias"') name ||= JSON.stringify(metrics?.get(BigInt(text))?.name ?? `#${text}`);
      else if (key === '"is_null"' && text === 'true') out.leaf('word', 'null', name);
      else if (key?.endsWith('_value"'))
        out.leaf(kind, kind === 'bytes' && note?.startsWith('[') ? note : text, name);
    },
    close() {
      depth--;
    },
  };
  decode(payload, line, { birth });
}

/** From JSON, with negative integers in unsigned fields. Throws PayloadError. */
export function encode(text: string): Uint8Array {
  const value = parseValue(text, integers.protobuf);
  return encodeMessage(value, payloadType, ({ name }) => name === 'int_value' || name === 'long_value');
}
