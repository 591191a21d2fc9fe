import { MqttError } from '../client/index';
import { make, type Properties, setText } from './base';
import type { Drawing, Series } from './draw';
import { MqttElement } from './element';
import { createFormat } from './format';
import { type Path, parsePath } from './path';
import { type Reading, shortTopic, toNumber } from './reading';
import { texts } from './texts';

/** Topics of a filter that are drawn: the first ones to arrive. */
const maxSeries = 8;

/**
 * A chart of the numbers of a topic filter over time, a line for each topic. The code that draws it
 * loads with the first chart.
 */
export class MqttChart extends MqttElement {
  /** @internal */
  static override readonly properties: Properties = {
    ...MqttElement.properties,
    topic: 'text',
    qos: 'number',
    path: 'text',
    unit: 'text',
    digits: 'number',
    points: 'number',
    seconds: 'number',
    min: 'number',
    max: 'number',
  };

  /** A topic filter. */
  declare topic: string;
  /** Of the subscription. Default 0. */
  declare qos: number | undefined;
  /** Path to the number in a JSON payload. Default: the whole payload. */
  declare path: string;
  /** Shown after the numbers. */
  declare unit: string;
  /** After the decimal point. */
  declare digits: number | undefined;
  /** Numbers of each topic that are kept. Default 300, at most 2,000. */
  declare points: number | undefined;
  /** Seconds that it goes back. Default: as far as the points. */
  declare seconds: number | undefined;
  /** Of the axis. Default: what the numbers need. */
  declare min: number | undefined;
  /** Of the axis. Default: what the numbers need. */
  declare max: number | undefined;

  readonly #label = make('span', { part: 'label' });
  readonly #stale = make('span', { part: 'stale' });
  readonly #error = make('span', { part: 'error' });
  readonly #empty = make('span', { part: 'empty' });
  #path: Path = [];
  #series = new Map<string, Series>();
  #more = false;
  #last: Reading | undefined;
  #drawing: Drawing | undefined;
  #loading = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #resized: ResizeObserver | undefined;

  constructor() {
    super();
    this.root.append(this.#label, this.#empty, this.#stale, this.#error);
  }

  protected override watched() {
    return { filter: this.topic, qos: this.qos ?? 0 };
  }

  protected override prepare(): void {
    this.#path = parsePath(this.path);
  }

  protected override received(reading: Reading): void {
    const value = toNumber(reading.value(this.#path));
    // Larger numbers do not fit on any axis.
    if (value === undefined || Math.abs(value) > 1e100) return;
    const { topic, receivedAt } = reading;
    let series = this.#series.get(topic);
    if (!series) {
      this.#more = this.#series.size >= maxSeries;
      if (this.#more) return;
      series = { name: shortTopic(topic, this.topic), times: [], values: [] };
      this.#series.set(topic, series);
    }
    this.#last = reading;
    // The clock may have been set back.
    series.times.push(Math.max(receivedAt, series.times.at(-1) ?? 0));
    series.values.push(value);
    if (series.times.length > 2 * this.#points) this.#cut(series, this.#points);
  }

  protected override forget(): void {
    this.#series.clear();
    this.#more = false;
    this.#last = undefined;
    clearTimeout(this.#timer);
    this.#resized?.disconnect();
    this.#resized = undefined;
  }

  protected override render(): void {
    const { label, unit, digits, locale, min, max, seconds } = this;
    const since = seconds && seconds > 0 ? Date.now() - seconds * 1000 : undefined;
    for (const series of this.#series.values()) {
      const old = since === undefined ? 0 : series.times.filter((time) => time < since).length;
      this.#cut(series, Math.min(this.#points, series.times.length - old));
    }
    const series = [...this.#series.values()].filter(({ times }) => times.length > 0);
    const stale = this.#last !== undefined && !this.isCurrent(this.#last);
    setText(this.#label, label);
    setText(this.#empty, series.length > 0 ? '' : texts.noNumbers);
    setText(this.#stale, stale ? texts.stale : this.#more ? texts.moreTopics : '');
    setText(this.#error, this.error?.message ?? '');
    this.mark('stale', stale);
    const format = createFormat({ format: 'number', digits, locale });
    const drawing = this.#drawing;
    if (!drawing) {
      this.#load();
      return;
    }
    if (!this.#resized) {
      this.#resized = new ResizeObserver(() => this.draw());
      this.#resized.observe(drawing.picture);
    }
    clearTimeout(this.#timer);
    // Time goes on even if nothing arrives.
    if (seconds && since) this.#timer = setTimeout(() => this.draw(), Math.max(1, seconds / 100) * 1000);
    drawing.draw({ series, since, min, max, unit, locale, title: label || texts.chart, format });
  }

  #cut(series: Series, length: number): void {
    if (series.times.length <= length) return;
    series.times = length > 0 ? series.times.slice(-length) : [];
    series.values = length > 0 ? series.values.slice(-length) : [];
  }

  get #points(): number {
    const { points = 300 } = this;
    return points >= 2 ? Math.min(Math.trunc(points), 2000) : 300;
  }

  async #load(): Promise<void> {
    if (this.#loading) return;
    this.#loading = true;
    try {
      const { createDrawing } = await import('./draw');
      this.#drawing = createDrawing();
      this.#label.after(this.#drawing.picture, this.#drawing.legend);
      if (this.isConnected) this.draw();
    } catch (cause) {
      this.fail(
        new MqttError('crashed', `the part that draws charts could not be loaded: ${cause}`, { cause }),
      );
    }
    this.#loading = false;
  }
}
