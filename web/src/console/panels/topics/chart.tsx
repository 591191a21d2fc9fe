/**
 * The charted numbers over time. Payloads have no units, so lines of the same name share a plot and
 * its scale, and others have plots of their own: on one scale a pressure would flatten a
 * temperature. All plots share one time axis.
 */

import { useEffect, useId, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { mark, t } from '../../core/i18n/i18n';
import { limits } from '../../core/limits';
import { saveAs } from '../../core/save-as';
import { brief, formatTime } from '../../core/text';
import { theme } from '../../core/theme';
import { coloursAt } from '../../core/theme-colours';
import { picture } from '../../topics/chart-picture';
import { type Series, tableOf } from '../../topics/series';
import type { Workbench } from '../../topics/workbench';
import { Button, IconButton } from '../../ui/button';
import { useTold } from '../../ui/told';

// Eight digits, or as many as stand before the point.
const number = new Intl.NumberFormat('en', {
  maximumSignificantDigits: 8,
  maximumFractionDigits: 0,
  roundingPriority: 'morePrecision',
});

/** Without the hundreds of zeros of very large or small numbers. */
function formatValue(value: number): string {
  const size = Math.abs(value);
  if (size < 1e15 && (size >= 1e-6 || size === 0)) return number.format(value);
  return String(Number(value.toPrecision(8)));
}

/** A value that was divided by a power of ten. If the product is too large, both are written. */
function formatDivided(value: number, exponent: number): string {
  const whole = exponent === 0 ? value : Number(`${value}e${exponent}`);
  return Number.isFinite(whole) ? formatValue(whole) : `${formatValue(value)}e+${exponent}`;
}

/** Milliseconds between updates. */
const pace = 250;

const spans: [seconds: number, label: string][] = [
  [60, mark('1 min')],
  [300, mark('5 min')],
  [900, mark('15 min')],
  [0, mark('All')],
];

/** From and to, in seconds since 1970. */
type Range = [from: number, to: number];

function titleOf({ topic, path }: Series): string {
  return brief(path === '' ? topic : `${topic} · ${path}`, 120);
}

/** The time of day, with seconds if labels would otherwise be equal. */
const times: uPlot.Axis.DynamicValues = (_plot, splits, _axis, _space, step) =>
  splits.map((at) => new Date(at * 1000).toTimeString().slice(0, step < 60 ? 8 : 5));

/** Points taken so far by all lines: another state means other data. */
function stateOf(series: readonly Series[]): string {
  return series.map(({ values, times }) => `${values.length} ${times[0]} ${times.at(-1)}`).join();
}

function rangeOf(series: readonly Series[], span: number): Range {
  const ends = series.flatMap(({ times }) => [times[0] ?? [], times.at(-1) ?? []].flat());
  if (span > 0 || ends.length === 0) return [Date.now() / 1000 - (span || 60), Date.now() / 1000];
  const [from, to] = [Math.min(...ends) / 1000, Math.max(...ends) / 1000];
  return from < to ? [from, to] : [from - 1, to + 1];
}

/** By name, in the order in which they were added. */
function groupsOf(series: readonly Series[]): [name: string, lines: Series[]][] {
  const groups = new Map<string, Series[]>();
  for (const one of series) groups.set(one.name, [...(groups.get(one.name) ?? []), one]);
  return [...groups];
}

interface PlotProps {
  series: readonly Series[];
  state: string;
  range: Range;
  /** Whether it has the time axis below it, which is that of all. */
  last: boolean;
  /** Of the plots that go together. */
  group: string;
  /** Pixels for the labels beside it: all plots have the same, so that their times are below each other. */
  room: number;
  onRoom(wanted: number): void;
  /** Undefined: no longer. */
  onZoom(range: Range | undefined): void;
  /** At a time in seconds. */
  onHover(time: number | undefined): void;
}

function optionsFor(
  element: HTMLElement,
  { series, last, group, onZoom, onHover }: PlotProps,
  latest: () => PlotProps,
  /** Of the data that is drawn. */
  exponent: { readonly current: number },
) {
  const style = getComputedStyle(element);
  const colour = coloursAt(element);
  const line = { stroke: colour('--line'), width: 1 };
  const axis: uPlot.Axis = {
    stroke: colour('--muted'),
    grid: line,
    ticks: { ...line, size: 4 },
    gap: 4,
    font: `11px ${style.fontFamily}`,
  };
  const unlabelled = { size: 0, values: (_: uPlot, splits: number[]) => splits.map(() => '') };
  const options: uPlot.Options = {
    ...sizeOf(element),
    padding: [6, 26, last ? 0 : 6, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: true, y: false, setScale: false }, sync: { key: group } },
    scales: { x: { range: () => latest().range } },
    axes: [
      { ...axis, space: 64, ...(last ? { size: 26, values: times } : unlabelled) },
      {
        ...axis,
        space: 22,
        values: (_plot, splits) => splits.map((value) => formatDivided(value, exponent.current)),
        size(_plot, labels) {
          const { room, onRoom } = latest();
          const wanted = 12 + 7 * Math.max(0, ...(labels ?? []).map(({ length }) => length));
          if (wanted > room) onRoom(wanted);
          return room;
        },
      },
    ],
    series: [
      {},
      ...series.map((one) => ({
        label: String(one.id),
        stroke: colour(`--series-${one.colour}`),
        width: 1.5,
        spanGaps: true,
        points: { size: 4 },
      })),
    ],
    hooks: {
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width === 0) return;
          onZoom([plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')]);
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
      setCursor: [
        (plot) => {
          const { left = -1 } = plot.cursor;
          onHover(left < 0 ? undefined : plot.posToVal(left, 'x'));
        },
      ],
    },
  };
  return options;
}

const sizeOf = ({ clientWidth, clientHeight }: HTMLElement) => ({
  width: Math.max(50, clientWidth),
  height: Math.max(40, clientHeight),
});

function Plot(props: PlotProps) {
  const { series, state, range, last, room } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const exponent = useRef(0);

  function data(): uPlot.AlignedData {
    const { times, columns, exponent: divided } = tableOf(series);
    exponent.current = divided;
    return [times, ...columns];
  }

  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const made = new uPlot(
      optionsFor(element, latest.current, () => latest.current, exponent),
      data(),
      element,
    );
    plot.current = made;
    made.over.addEventListener('dblclick', () => latest.current.onZoom(undefined));
    const observer = new ResizeObserver(() => made.setSize(sizeOf(element)));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.current = undefined;
      made.destroy();
    };
  }, [series.map(({ id }) => id).join(), last, theme.scheme.value]);

  const [from, to] = range;
  useEffect(() => plot.current?.setData(data()), [state, from, to, room]);

  return <div ref={place} class="chart-plot" data-last={last} />;
}

/** Its value at a time, or the last one. */
function valueAt({ times, values }: Series, time: number | undefined): number | undefined {
  if (time === undefined) return values.at(-1);
  return values[times.findLastIndex((at) => at <= time * 1000)];
}

function Line({ series, time, onRemove }: { series: Series; time: number | undefined; onRemove(): void }) {
  const { topic, path, missing, skipped, colour } = series;
  const value = valueAt(series, time);
  const title = titleOf(series);
  const shown = brief(topic, limits.name);
  const end = shown.lastIndexOf('/') + 1;
  const notes = [
    missing > 0 && t('{count} without a number', { count: missing }),
    skipped > 0 && t('{count} came too fast', { count: skipped }),
  ].filter(Boolean);
  return (
    <li class="line">
      <span class="chart-mark rigid" style={{ background: `var(--series-${colour})` }} />
      <bdi class="chart-name mono" title={title}>
        <span class="chart-branch clip muted">
          <bdi>{shown.slice(0, end)}</bdi>
        </span>
        <span class="clip">
          {shown.slice(end)}
          {path !== '' && ' ·\u00a0' /* a plain space at the end would be cut */}
        </span>
        {path !== '' && (
          <b class="chart-path clip">
            <bdi>{brief(path, limits.name)}</bdi>
          </b>
        )}
      </bdi>
      <span class="rigid numbers bold end">{value === undefined ? '–' : formatValue(value)}</span>
      {notes.length > 0 && <span class="chart-note clip fine">{notes.join(', ')}</span>}
      <IconButton label={t('Remove {line} from the chart', { line: title })} onClick={onRemove} />
    </li>
  );
}

/** The chart's text for assistive technology. */
function words(series: readonly Series[]): string {
  return series
    .map((one) => {
      const { values } = one;
      return t('{line}: {count} values, {low} to {high}, last {last}', {
        line: titleOf(one),
        count: values.length,
        low: formatValue(Math.min(...values)),
        high: formatValue(Math.max(...values)),
        last: formatValue(values.at(-1) ?? 0),
      });
    })
    .join('; ');
}

/** What it shows, and how. */
export type Charted = Pick<Workbench, 'charted' | 'span' | 'unchart'>;

export function Chart({ bench }: { bench: Charted }) {
  const id = useId();
  const body = useRef<HTMLDivElement>(null);
  const [folded, setFolded] = useState(false);
  const [zoomed, setZoomed] = useState<Range>();
  const [time, setTime] = useState<number>();
  const said = useTold();
  const [room, setRoom] = useState(64);
  const series = bench.charted.value;
  const span = bench.span.value;
  const look = () => `${stateOf(series)} ${span && !zoomed ? Math.floor(Date.now() / 1000) : ''}`;
  const [, setState] = useState('');

  useEffect(() => {
    const timer = setInterval(() => {
      if (body.current?.checkVisibility({ visibilityProperty: true })) setState(look());
    }, pace);
    return () => clearInterval(timer);
  }, [series, span, zoomed]);

  const range = zoomed ?? rangeOf(series, span);
  const groups = groupsOf(series);

  /** Around the middle of what is shown. */
  function zoom(factor: number): void {
    const [from, to] = range;
    const middle = (from + to) / 2;
    const half = ((to - from) / 2) * factor;
    setZoomed([middle - half, middle + half]);
  }

  async function save(): Promise<void> {
    if (!body.current) return;
    const charts = body.current.querySelectorAll('canvas');
    const parts = groups.flatMap(([, lines], index) => {
      const chart = charts[index];
      const titles = lines.map((one): [string, number] => [titleOf(one), one.colour]);
      return chart ? [{ chart, lines: titles }] : [];
    });
    const blob = await picture(parts, body.current);
    if (blob) saveAs('mqttwasm-chart.png', blob);
    said.value = () => (blob ? t('Saved') : t('The browser could not make the picture'));
  }

  return (
    <>
      <header class="charts-head flow rigid">
        <h3>
          <button
            type="button"
            class="charts-fold fold line"
            aria-expanded={!folded}
            onClick={() => setFolded(!folded)}
          >
            {t('Charts')}
          </button>
        </h3>
        {!folded && (
          <>
            {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for a form */}
            <div role="group" class="line" aria-label={t('Time range')}>
              {spans.map(([seconds, label]) => (
                <Button
                  key={seconds}
                  small
                  look="quiet"
                  aria-pressed={seconds === span}
                  onClick={() => {
                    bench.span.value = seconds;
                    setZoomed(undefined);
                  }}
                >
                  {t(label)}
                </Button>
              ))}
            </div>
            <div class="line end">
              <span class="fine">{time !== undefined && formatTime(time * 1000)}</span>
              <span class="muted" aria-live="polite">
                {said.value}
              </span>
              <IconButton label={t('Zoom in')} onClick={() => zoom(0.5)}>
                +
              </IconButton>
              <IconButton label={t('Zoom out')} onClick={() => zoom(2)}>
                −
              </IconButton>
              <Button small aria-disabled={!zoomed} onClick={() => setZoomed(undefined)}>
                {t('Reset zoom')}
              </Button>
              <Button small onClick={() => void save()}>
                {t('Save PNG')}
              </Button>
            </div>
          </>
        )}
      </header>
      {!folded && (
        <div
          ref={body}
          class="charts-body scrolls"
          title={t('Drag to zoom, double-click to reset. The last {count} values of each line.', {
            count: limits.chart.points,
          })}
        >
          <div class="visually-hidden" role="img" aria-label={words(series)} />
          {groups.map(([name, lines], index) => (
            <div key={name} class="chart">
              <ul class="chart-lines small-text" aria-label={brief(name, limits.name)}>
                {lines.map((one) => (
                  <Line key={one.id} series={one} time={time} onRemove={() => bench.unchart(one.id)} />
                ))}
              </ul>
              <Plot
                series={lines}
                state={stateOf(lines)}
                range={range}
                last={index === groups.length - 1}
                group={id}
                room={room}
                onRoom={setRoom}
                onZoom={setZoomed}
                onHover={setTime}
              />
            </div>
          ))}
        </div>
      )}
    </>
  );
}
