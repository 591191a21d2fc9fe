/** Draws charts. A script of its own: pages without a chart don't load it. */

import { make, setText } from './base';
import { localised } from './format';
import { texts } from './texts';
import { ticks } from './ticks';

/** One topic's numbers, oldest first. */
export interface Series {
  /** The part of its topic that differs from others. */
  name: string;
  /** Milliseconds since 1970. */
  times: number[];
  values: number[];
}

export interface Shown {
  series: readonly Series[];
  /** Where the time axis begins, in milliseconds since 1970, if not with the first point. */
  since: number | undefined;
  min: number | undefined;
  max: number | undefined;
  unit: string;
  locale: string;
  /** Its name for assistive technology. */
  title: string;
  format(value: unknown): string | undefined;
}

export interface Drawing {
  picture: SVGSVGElement;
  legend: HTMLElement;
  draw(shown: Shown): void;
}

const edge = { top: 8, right: 8, bottom: 20 };

export function createDrawing(): Drawing {
  const picture = svg('svg', { part: 'picture', role: 'img' });
  const legend = make('div', { part: 'legend' });

  function draw(shown: Shown): void {
    const { series, unit, title } = shown;
    const withUnit = (value: number | undefined): string =>
      `${shown.format(value) ?? ''}${unit && ` ${unit}`}`;
    showLegend(legend, series, withUnit);
    const said = series.map(({ name, values }) => {
      const [low, high] = extent(values);
      const figures = `${texts.now} ${withUnit(values.at(-1))}, ${texts.lowest} ${withUnit(low)}, ${texts.highest} ${withUnit(high)}`;
      return series.length > 1 ? `${name} ${figures}` : figures;
    });
    picture.setAttribute('aria-label', `${title}: ${said.join('; ') || texts.noNumbers}`);
    const { width, height } = picture.getBoundingClientRect();
    const drawn = series.length > 0 && width >= 40 && height >= 40;
    picture.setAttribute('viewBox', `0 0 ${width} ${height}`);
    picture.replaceChildren(...(drawn ? shapes(shown, width, height) : []));
  }

  return { picture, legend, draw };
}

function shapes({ series, since, min, max, locale }: Shown, width: number, height: number): SVGElement[] {
  const [low, high] = extent(series.flatMap(({ values }) => values));
  const marks = ticks(min ?? low, max ?? high, Math.max(2, Math.floor(height / 45)));
  const bottom = min ?? (marks.at(0) as number);
  const wanted = max ?? (marks.at(-1) as number);
  // The page's limits may not form an axis.
  const top = wanted > bottom ? wanted : bottom + (Math.abs(bottom) || 1);
  const places = Math.max(0, ...marks.map((mark) => (String(mark).split('.')[1] ?? '').length));
  const size = Math.max(Math.abs(low), Math.abs(high));
  const step = (marks[1] as number) - (marks[0] as number);
  // As many digits as distinguish one label from the next.
  const digits = 1 + Math.floor(Math.log10(size)) - Math.floor(Math.log10(step));
  const numbers = localised(
    locale,
    (tag) =>
      new Intl.NumberFormat(
        tag,
        size < 1e6
          ? { maximumFractionDigits: Math.min(places, 20) }
          : { notation: 'compact', maximumSignificantDigits: Math.min(Math.max(digits || 0, 3), 21) },
      ),
  );
  const labels = marks.map((mark) => numbers.format(mark));
  const left = 10 + 6.5 * Math.max(...labels.map((label) => label.length));
  const first = since ?? Math.min(...series.map(({ times }) => times[0] as number));
  const last =
    since === undefined ? Math.max(...series.map(({ times }) => times.at(-1) as number)) : Date.now();
  const span = Math.max(last - first, 1);
  const x = (time: number): string =>
    (left + ((time - first) / span) * (width - left - edge.right)).toFixed(1);
  const y = (value: number): string => {
    const part = (Math.min(Math.max(value, bottom), top) - bottom) / (top - bottom);
    return (height - edge.bottom - part * (height - edge.bottom - edge.top)).toFixed(1);
  };

  const grid = marks
    .filter((mark) => mark >= bottom && mark <= top)
    .flatMap((mark) => [
      svg('line', { part: 'grid', x1: `${left}`, x2: `${width - edge.right}`, y1: y(mark), y2: y(mark) }),
      text(numbers.format(mark), {
        x: `${left - 6}`,
        y: y(mark),
        'text-anchor': 'end',
        'dominant-baseline': 'middle',
      }),
    ]);
  const long = span > 86_400_000;
  const clock = localised(
    locale,
    (tag) =>
      new Intl.DateTimeFormat(
        tag,
        long ? { dateStyle: 'short', timeStyle: 'short' } : { timeStyle: 'medium' },
      ),
  );
  const times: [time: number, anchor: string][] = [
    [first, 'start'],
    [last, 'end'],
  ];
  if (width > 420) times.splice(1, 0, [first + span / 2, 'middle']);
  const axis = times.map(([time, anchor]) =>
    text(clock.format(time), { x: x(time), y: `${height - 4}`, 'text-anchor': anchor }),
  );
  const lines = series.flatMap(({ times, values }, index) => {
    const points = times.map((time, n) => `${x(time)} ${y(values[n] as number)}`);
    const end = { cx: x(times.at(-1) as number), cy: y(values.at(-1) as number), r: '3' };
    const line = svg('path', { part: 'line', d: `M${points.join('L')}` });
    const group = svg('g', { class: `series-${index}` });
    group.append(line, svg('circle', { part: 'point', ...end }));
    return group;
  });
  return [...grid, ...axis, ...lines];
}

/** Rows are kept, so that a row being read out is not removed. */
function showLegend(
  legend: HTMLElement,
  series: readonly Series[],
  withUnit: (value: number | undefined) => string,
): void {
  while (legend.childElementCount > series.length) legend.lastElementChild?.remove();
  for (const [index, { name, values }] of series.entries()) {
    const row =
      legend.children[index] ??
      legend.appendChild(make('span', { part: 'series', class: `series-${index}` }));
    if (row.childElementCount === 0) {
      row.append(
        make('span', { part: 'key', 'aria-hidden': 'true' }),
        make('span', { part: 'name' }),
        ' ',
        make('span', { part: 'value' }),
      );
    }
    const [, label, figure] = row.children;
    if (label) setText(label, series.length > 1 ? name : '');
    if (figure) setText(figure, withUnit(values.at(-1)));
  }
}

function extent(values: readonly number[]): [low: number, high: number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return [low, high];
}

function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Record<string, string>,
): SVGElementTagNameMap[Tag] {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function text(value: string, attributes: Record<string, string>): SVGElement {
  const element = svg('text', attributes);
  element.append(value);
  return element;
}
