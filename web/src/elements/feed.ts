import { make, type Properties, setText } from './base';
import { MqttElement } from './element';
import { localised } from './format';
import { type Reading, shortTopic } from './reading';
import { texts } from './texts';

/** Characters of a payload in a row. */
const maxText = 500;

interface Row {
  topic: string;
  text: string;
  receivedAt: number;
  retain: boolean;
}

/**
 * The newest messages of a topic filter, the latest last. It scrolls along unless the user has
 * scrolled up.
 */
export class MqttFeed extends MqttElement {
  /** @internal */
  static override readonly properties: Properties = {
    ...MqttElement.properties,
    topic: 'text',
    qos: 'number',
    limit: 'number',
    announce: 'flag',
  };

  /** A topic filter. */
  declare topic: string;
  /** Of the subscription. Default 0. */
  declare qos: number | undefined;
  /** Messages that are shown. Default 100, at most 1,000. */
  declare limit: number | undefined;
  /** Assistive technology announces each message. For topics with few messages. */
  declare announce: boolean;

  readonly #label = make('span', { part: 'label', id: 'label' });
  readonly #log = make('div', { part: 'log', role: 'log', tabindex: '0' });
  readonly #error = make('span', { part: 'error' });
  readonly #empty = make('span', { part: 'empty' });
  /** What the next frame shows. */
  #arrived: Row[] = [];
  #times: Intl.DateTimeFormat | undefined;

  constructor() {
    super();
    this.root.append(this.#label, this.#log, this.#error);
  }

  /** Removes what is shown. */
  clear(): void {
    this.forget();
  }

  protected override watched() {
    return { filter: this.topic, qos: this.qos ?? 0 };
  }

  protected override prepare(): void {
    this.#times = undefined;
  }

  protected override received(reading: Reading): void {
    // Keeps little of each: a payload may be large, and the next frame far away.
    const { topic, receivedAt, retain } = reading;
    const short = shortTopic(topic, this.topic);
    this.#arrived.push({ topic: short, text: reading.preview(maxText), receivedAt, retain });
    // A hidden page draws no frames, and a flood may bring more than a frame shows.
    if (this.#arrived.length > 2 * this.#limit) this.#arrived = this.#arrived.slice(-this.#limit);
  }

  protected override forget(): void {
    this.#arrived = [];
    this.#log.replaceChildren(this.#empty);
  }

  protected override render(): void {
    const log = this.#log;
    setText(this.#label, this.label);
    setText(this.#empty, texts.noMessages);
    setText(this.#error, this.error?.message ?? '');
    log.setAttribute('aria-label', this.label || texts.messages);
    log.setAttribute('aria-live', this.announce ? 'polite' : 'off');
    const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
    const rows = this.#arrived.slice(-this.#limit).map((row) => this.#row(row));
    this.#arrived = [];
    if (rows.length > 0) this.#empty.remove();
    log.append(...rows);
    while (log.childElementCount > this.#limit) log.firstElementChild?.remove();
    if (log.childElementCount === 0) log.append(this.#empty);
    if (rows.length > 0 && atEnd) log.scrollTop = log.scrollHeight;
  }

  get #limit(): number {
    const { limit = 100 } = this;
    return limit >= 1 ? Math.min(Math.trunc(limit), 1000) : 100;
  }

  #row({ topic, text, receivedAt, retain }: Row): HTMLElement {
    this.#times ??= localised(this.locale, (tag) => new Intl.DateTimeFormat(tag, { timeStyle: 'medium' }));
    const time = make('time', { part: 'time', datetime: new Date(receivedAt).toISOString() });
    time.append(this.#times.format(receivedAt));
    const row = make('div', { part: 'row' }, time, make('span', { part: 'topic' }, topic));
    row.append(make('span', { part: 'payload' }, text));
    if (retain) row.append(make('span', { part: 'retained' }, texts.retained));
    return row;
  }
}
