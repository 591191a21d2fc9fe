import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { Button, IconButton } from '../../ui/button';
import 'uplot/dist/uPlot.min.css';
import { t } from '../../core/i18n/i18n';
import { saveAs } from '../../core/save-as';
import { brief, formatCount } from '../../core/text';
import { theme } from '../../core/theme';
import { coloursAt } from '../../core/theme-colours';
import { picture } from '../../topics/chart-picture';
import { maxPoints, type Series, tableOf } from '../../topics/series';
import type { Workbench } from '../../topics/workbench';

const number = new Intl.NumberFormat('en', { maximumSignificantDigits: 8 });

export function titleOf({ topic, path }: Series): string {
  return brief(path === '' ? topic : `${topic} · ${path}`, 120);
}

function optionsFor(element: HTMLElement, series: readonly Series[], onZoom: () => void): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = coloursAt(element);
  const axis = {
    stroke: colour('--muted'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { stroke: colour('--line'), width: 1 },
    font: `12px ${style.fontFamily}`,
  };
  return {
    width: Math.max(50, element.clientWidth),
    height: Math.max(50, element.clientHeight),
    legend: { show: false },
    cursor: { drag: { x: true, y: false } },
    axes: [axis, { ...axis, size: 60 }],
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
    hooks: { setSelect: [({ select }) => select.width > 0 && onZoom()] },
  };
}

function dataOf(series: readonly Series[]): uPlot.AlignedData {
  const { times, columns } = tableOf(series);
  return [times, ...columns];
}

/** Points taken so far by all lines: another sum means other data. */
function stateOf(series: readonly Series[]): string {
  return series.map(({ values, times }) => `${values.length} ${times.at(-1)}`).join();
}

function Line({ series, onRemove }: { series: Series; onRemove(): void }) {
  const { values, missing, skipped, colour } = series;
  const last = values.at(-1);
  const title = titleOf(series);
  const notes = [
    missing > 0 && t('{count} without a number', { count: formatCount(missing) }),
    skipped > 0 && t('{count} came too fast', { count: formatCount(skipped) }),
  ].filter(Boolean);
  return (
    <li>
      <span class="topics-line-mark" style={{ background: `var(--series-${colour})` }} />
      <bdi class="topics-line-name clip">{title}</bdi>
      <span class="topics-line-value">{last === undefined ? '–' : number.format(last)}</span>
      {notes.length > 0 && <span class="topics-line-note fine">{notes.join(', ')}</span>}
      <IconButton label={t('Remove {line} from the chart', { line: title })} onClick={onRemove} />
    </li>
  );
}

/** What a chart says to those who don't see it. */
function words(series: readonly Series[]): string {
  return series
    .map((one) => {
      const { values } = one;
      const [low, high] = values.reduce(
        ([least, most], value) => [Math.min(least, value), Math.max(most, value)],
        [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
      );
      return t('{line}: {count} values, {low} to {high}, last {last}', {
        line: titleOf(one),
        count: formatCount(values.length),
        low: number.format(low),
        high: number.format(high),
        last: number.format(values.at(-1) ?? 0),
      });
    })
    .join('; ');
}

export function Chart({ bench }: { bench: Workbench }) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const drawn = useRef('');
  const [zoomed, setZoomed] = useState(false);
  const [said, setSaid] = useState('');
  const series = bench.charted.value;
  const tick = bench.tick.value;
  const scheme = theme.scheme.value;

  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const made = new uPlot(
      optionsFor(element, series, () => setZoomed(true)),
      dataOf(series),
      element,
    );
    const onDoubleClick = () => setZoomed(false);
    made.over.addEventListener('dblclick', onDoubleClick);
    plot.current = made;
    drawn.current = stateOf(series);
    setZoomed(false);
    const observer = new ResizeObserver(() => {
      made.setSize({ width: Math.max(50, element.clientWidth), height: Math.max(50, element.clientHeight) });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.current = undefined;
      made.destroy();
    };
  }, [series, scheme]);

  useEffect(() => {
    const state = stateOf(series);
    if (!plot.current || drawn.current === state) return;
    drawn.current = state;
    plot.current.setData(dataOf(series), !zoomed);
    if (zoomed) plot.current.redraw();
  }, [tick, zoomed, series]);

  /** Around the middle of what is shown. */
  function zoom(factor: number): void {
    const { min, max } = plot.current?.scales.x ?? {};
    if (min == null || max == null) return;
    const middle = (min + max) / 2;
    const half = ((max - min) / 2) * factor;
    plot.current?.setScale('x', { min: middle - half, max: middle + half });
    setZoomed(true);
  }

  function showAll(): void {
    plot.current?.setData(dataOf(series), true);
    setZoomed(false);
  }

  async function save(): Promise<void> {
    if (!plot.current || !place.current) return;
    const blob = await picture(
      plot.current.ctx.canvas,
      place.current,
      series.map((one) => [titleOf(one), one.colour]),
    );
    if (!blob) {
      setSaid(t('The browser could not make the picture'));
      return;
    }
    saveAs('mqttwasm-chart.png', blob);
    setSaid(t('Saved'));
  }

  return (
    <>
      <div class="topics-chart-head flow">
        <ul class="topics-lines" aria-label={t('Lines')}>
          {series.map((one) => (
            <Line key={one.id} series={one} onRemove={() => bench.unchart(one.id)} />
          ))}
        </ul>
        <div class="topics-tools flow">
          <span class="topics-said muted" aria-live="polite">
            {said}
          </span>
          <IconButton label={t('Zoom in')} onClick={() => zoom(0.5)}>
            +
          </IconButton>
          <IconButton label={t('Zoom out')} onClick={() => zoom(2)}>
            −
          </IconButton>
          <Button small disabled={!zoomed} onClick={showAll}>
            {t('Show all')}
          </Button>
          <Button small onClick={() => void save()}>
            {t('Save PNG')}
          </Button>
        </div>
      </div>
      <div
        ref={place}
        class="topics-plot"
        role="img"
        aria-label={words(series)}
        title={t('Drag to zoom, double-click to see all. The last {count} values of each line.', {
          count: formatCount(maxPoints),
        })}
      />
    </>
  );
}
