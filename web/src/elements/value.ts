import { emit, make, type Properties, setText } from './base';
import { MqttElement } from './element';
import { createFormat } from './format';
import { type Path, parsePath } from './path';
import type { Reading } from './reading';
import { texts } from './texts';

/** The newest value of a topic filter: `mqtt-change` reports it, at most once a frame. */
export class MqttValue extends MqttElement {
  /** @internal */
  static override readonly properties: Properties = {
    ...MqttElement.properties,
    topic: 'text',
    qos: 'number',
    path: 'text',
    format: 'text',
    digits: 'number',
    unit: 'text',
    staleAfter: 'number',
    announce: 'flag',
  };

  /** A topic filter. */
  declare topic: string;
  /** Of the subscription. Default 0. */
  declare qos: number | undefined;
  /** Path to the value in a JSON payload, such as `sensors[0].value`. Default: the whole payload. */
  declare path: string;
  /**
   * `auto`, `text`, `number` or `datetime`. Default `auto`: JSON numbers are formatted for the
   * page's language.
   */
  declare format: string;
  /** After the decimal point. */
  declare digits: number | undefined;
  /** Shown after the value. */
  declare unit: string;
  /** Seconds after which a value is no longer current. Default: when the connection ends. */
  declare staleAfter: number | undefined;
  /** Assistive technology announces each new value. */
  declare announce: boolean;
  /**
   * Makes the text that is shown, instead of `format`. If it returns undefined, the element shows
   * that there is no value.
   */
  formatter: ((value: unknown, topic: string) => string | undefined) | undefined;

  readonly #label = make('span', { part: 'label' });
  readonly #value = make('span', { part: 'value' });
  readonly #unit = make('span', { part: 'unit' });
  readonly #stale = make('span', { part: 'stale' });
  readonly #error = make('span', { part: 'error' });
  #path: Path = [];
  #format: ReturnType<typeof createFormat> | undefined;
  #reading: Reading | undefined;
  #told: Reading | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.root.append(this.#label, make('span', {}, this.#value, this.#unit, this.#stale), this.#error);
  }

  /** The decoded value; undefined before the first message, and if there is nothing at `path`. */
  get value(): unknown {
    return this.#reading?.value(this.#path);
  }

  /** Whether the value may be out of date: its connection is gone, or `staleAfter` has passed. */
  get stale(): boolean {
    const reading = this.#reading;
    return reading !== undefined && !(this.isCurrent(reading) && this.#timeLeft(reading) > 0);
  }

  protected override watched() {
    return { filter: this.topic, qos: this.qos ?? 0 };
  }

  protected override prepare(): void {
    this.#format = undefined;
    this.#path = parsePath(this.path);
  }

  protected override received(reading: Reading): void {
    this.#reading = reading;
  }

  protected override forget(): void {
    clearTimeout(this.#timer);
    this.#reading = this.#told = undefined;
  }

  protected override render(): void {
    const reading = this.#reading;
    const text = reading && this.#text(reading);
    setText(this.#label, this.label);
    setText(this.#value, text || texts.noValue);
    setText(this.#unit, text ? this.unit : '');
    setText(this.#stale, this.stale ? texts.stale : '');
    setText(this.#error, this.error?.message ?? '');
    this.#value.setAttribute('aria-live', this.announce ? 'polite' : 'off');
    this.mark('stale', this.stale);
    this.mark('missing', !text);
    clearTimeout(this.#timer);
    if (!reading) return;
    const left = this.#timeLeft(reading);
    // Timers allow no longer delay.
    if (left > 0 && left < 2 ** 31) this.#timer = setTimeout(() => this.draw(), left + 1);
    if (reading === this.#told) return;
    this.#told = reading;
    const { topic, receivedAt, retain } = reading;
    emit(this, 'mqtt-change', { value: this.value, topic, receivedAt, retain });
  }

  /** Milliseconds. */
  #timeLeft({ receivedAt }: Reading): number {
    const { staleAfter } = this;
    return staleAfter ? receivedAt + staleAfter * 1000 - Date.now() : Number.POSITIVE_INFINITY;
  }

  #text(reading: Reading): string | undefined {
    const { value, formatter } = this;
    if (formatter) {
      try {
        return formatter(value, reading.topic);
      } catch (error) {
        reportError(error);
        return undefined;
      }
    }
    this.#format ??= createFormat({ format: this.format, digits: this.digits, locale: this.locale });
    if (this.#path.length > 0) return this.#format(value);
    if (value === undefined) return reading.hex();
    return this.#format(this.format === 'text' ? reading.text() : value);
  }
}
