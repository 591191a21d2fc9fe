/** Entries as a file: JSON, a JSON text on each line, or comma-separated values (RFC 4180). */

import { type MessageRecord, recordOf } from './record';

export type Format = 'JSON' | 'NDJSON' | 'CSV';

const types: Record<Format, string> = {
  JSON: 'application/json',
  NDJSON: 'application/x-ndjson',
  CSV: 'text/csv',
};

/** Milliseconds of work before the page gets its turn. */
const slice = 5;

type Columns<Data> = readonly [name: string, value: (data: Data) => unknown][];

const columns: Columns<MessageRecord> = [
  ['time', ({ time }) => time],
  ['connection', ({ connection }) => connection],
  ['direction', ({ direction }) => direction],
  ['topic', ({ topic }) => topic],
  ['payload', ({ payload }) => payload],
  ['payloadEncoding', ({ payloadEncoding }) => payloadEncoding],
  ['qos', ({ qos }) => qos],
  ['retain', ({ retain }) => retain],
  ['dup', ({ dup }) => dup],
  ['payloadFormatIndicator', ({ properties }) => properties.payloadFormatIndicator],
  ['messageExpiryInterval', ({ properties }) => properties.messageExpiryInterval],
  ['contentType', ({ properties }) => properties.contentType],
  ['responseTopic', ({ properties }) => properties.responseTopic],
  ['correlationData', ({ properties }) => properties.correlationData],
  ['correlationDataEncoding', ({ properties }) => properties.correlationDataEncoding],
  ['subscriptionIdentifier', ({ properties }) => properties.subscriptionIdentifier?.join(' ')],
  ['userProperties', ({ properties: { userProperties: pairs } }) => pairs && JSON.stringify(pairs)],
];

/**
 * Always quoted. Spreadsheets run text that begins like a formula, quoted or not, so an apostrophe
 * goes before it; a plain number is not a formula.
 */
export function cell(value: unknown): string {
  const text = String(value ?? '');
  const formula = /^[=+\-@\t\r]/.test(text) && !/^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text);
  return `"${formula ? "'" : ''}${text.replaceAll('"', '""')}"`;
}

/** The page's turn between two slices of work. */
export const rest = () => new Promise<void>((resolve) => setTimeout(resolve));

/**
 * Returns a function that writes entries, in slices of work. `told` is called with the number done;
 * during `turn` the page gets its turn.
 */
export function fileWriter<Entry, Data>(recordOf: (entry: Entry) => Data, columns: Columns<Data> = []) {
  function lineOf(format: Format, entry: Entry, first: boolean): string {
    const record = recordOf(entry);
    if (format === 'CSV') return `${columns.map(([, value]) => cell(value(record))).join(',')}\r\n`;
    const text = JSON.stringify(record);
    return format === 'NDJSON' ? `${text}\n` : `${first ? '' : ',\n'}${text}`;
  }

  return async (
    entries: readonly Entry[],
    format: Format,
    told: (done: number) => void = () => {},
    turn: () => Promise<void> = rest,
  ): Promise<Blob> => {
    const head = { JSON: '[\n', NDJSON: '', CSV: `${columns.map(([name]) => cell(name)).join(',')}\r\n` };
    const parts: Blob[] = [];
    let text = head[format];
    let until = performance.now() + slice;
    for (const [index, entry] of entries.entries()) {
      text += lineOf(format, entry, index === 0);
      if (performance.now() < until) continue;
      // In a Blob it no longer takes the page's memory.
      parts.push(new Blob([text]));
      text = '';
      told(index + 1);
      await turn();
      until = performance.now() + slice;
    }
    if (format === 'JSON') text += '\n]\n';
    return new Blob([...parts, text], { type: types[format] });
  };
}

export const fileOf = fileWriter(recordOf, columns);
