import { all, contestants } from '../contestants/names';
import { quantity, times } from './format';
import { type Line, middleOf, type Results, ratio } from './results';
import { judge } from './targets';

/** The whole report as Markdown: one table of the measurements and one of the targets. */
export function markdown(results: Results): string {
  return [
    `Measured on ${results.date} with ${results.browser} on ${results.machine}; ${roundsOf(results)}.`,
    '',
    `Medians, and ± half the distance from the smallest to the largest value. The last columns are`,
    `${contestants.mqttwasm} as a multiple of the bare WebSocket and of MQTT.js on the main thread.`,
    '',
    ...table(
      ['', ...all.map((name) => contestants[name]), '/ bare', '/ MQTT.js'],
      groupsOf(results.lines).flatMap(([group, lines]) => [[`**${group}**`], ...lines.map(cells)]),
    ),
    '',
    ...(results.notes.length > 0 ? [...results.notes.map((note) => `- ${note}`), ''] : []),
    ...table(
      ['Target', 'Measured', ''],
      judge(results).map(({ title, measured, met }) => [title, measured, met]),
    ),
    '',
  ].join('\n');
}

function roundsOf({ rounds }: Results): string {
  return `${rounds} ${rounds === 1 ? 'round' : 'rounds'}, the contestants taking turns`;
}

function groupsOf(lines: Line[]): [group: string, lines: Line[]][] {
  const groups = new Map<string, Line[]>();
  for (const line of lines) groups.set(line.group, [...(groups.get(line.group) ?? []), line]);
  return [...groups];
}

function cells(line: Line): string[] {
  const shown = (value: number | undefined): string => (value === undefined ? '' : times(value));
  return [
    line.title,
    ...all.map((name) => {
      const middle = middleOf(line, name);
      if (!middle) return '';
      const around = (line.values[name]?.length ?? 0) > 1 ? ` ±${Math.round(middle.spread * 100)} %` : '';
      return `${quantity(middle.median, line.unit)}${around}`;
    }),
    shown(ratio(line, 'mqttwasm', 'bare')),
    shown(ratio(line, 'mqttwasm', 'mqttjs')),
  ];
}

/** Padded for reading in a terminal. */
export function table(head: string[], rows: string[][]): string[] {
  const widths = head.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: string[]): string =>
    `| ${widths.map((width, column) => pad(row[column] ?? '', width, column)).join(' | ')} |`;
  const rule = widths.map((width, column) =>
    column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [line(head), line(rule), ...rows.map(line)];
}

function pad(text: string, width: number, column: number): string {
  return column === 0 ? text.padEnd(width) : text.padStart(width);
}
