import { MqttError, type QoS } from '../client/index';
import { Base, emit, once, type Properties, takeEarly } from './base';
import { announced, findConnection, type MqttConnection } from './connection';
import type { Hub } from './hub';
import type { Reading } from './reading';
import { adopt } from './style';

/** An element that uses a connection, and may watch a topic filter. */
export abstract class MqttElement extends Base {
  /** @internal */
  static readonly properties: Properties = { connection: 'text', label: 'text' };

  /** The `id` of the `<mqtt-connection>` to use. Default: the one around it, or else the first of the page. */
  declare connection: string;
  /** Its name, shown and announced. */
  declare label: string;

  readonly #internals: ElementInternals;
  #connected = false;
  #link: MqttConnection | undefined;
  #hub: Hub | undefined;
  #watching = '';
  #leave = (): void => {};
  #release = (): void => {};
  #frame = 0;
  /** What is wrong with its attributes. */
  #wrong: MqttError | undefined;
  /** The last failure of a request to the broker. */
  #failure: MqttError | undefined;
  readonly #settle = once(() => this.#update());

  constructor() {
    super();
    this.#internals = this.attachInternals();
    adopt(this);
  }

  /** @internal */
  connectedCallback(): void {
    takeEarly(this);
    this.#settle();
  }

  /** @internal */
  disconnectedCallback(): void {
    this.#settle();
  }

  /** @internal */
  attributeChangedCallback(_name: string, before: string | null, now: string | null): void {
    if (before !== now) this.#settle();
  }

  /** What is wrong: an invalid attribute, or a refusal of the broker. It is also shown. */
  get error(): MqttError | undefined {
    return this.#wrong ?? this.#failure;
  }

  /** Shows what it has; called in an animation frame. */
  protected abstract render(): void;
  /** What to watch, if anything. */
  protected watched(): { filter: string; qos: number } | undefined {
    return undefined;
  }
  protected received(_reading: Reading): void {}
  /** Forgets what was received: the filter has changed, or the element has left its page. */
  protected forget(): void {}
  /** Reads attributes; what it throws is the element's error. */
  protected prepare(): void {}

  protected get link(): MqttConnection | undefined {
    return this.#link;
  }

  protected get root(): ShadowRoot {
    return this.shadowRoot as ShadowRoot;
  }

  /** The language of the page at the element. */
  protected get locale(): string {
    return this.closest('[lang]')?.getAttribute('lang') ?? '';
  }

  protected isCurrent(reading: Reading): boolean {
    return this.#hub?.isCurrent(reading) ?? false;
  }

  /** For `:state(…)` in style sheets. */
  protected mark(state: string, on: boolean): void {
    const { states } = this.#internals;
    try {
      if (on) states.add(state);
      else states.delete(state);
    } catch {
      // Older browsers have no states, or other names for them.
    }
  }

  protected fail(error: MqttError): void {
    this.#failure = error;
    emit(this, 'mqtt-error', error);
    this.draw();
  }

  /** Requests `render`. A hidden page draws nothing. */
  protected draw(): void {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.render();
    });
  }

  /** After a move within its page nothing has changed. */
  #update(): void {
    if (this.isConnected !== this.#connected) {
      this.#connected = this.isConnected;
      if (this.#connected) document.addEventListener(announced, this.#settle);
      else this.#stop();
    }
    if (!this.#connected) return;
    this.#relink();
    const wrong = this.#check();
    const known = wrong?.message === this.#wrong?.message;
    this.#wrong = wrong;
    if (wrong && !known) emit(this, 'mqtt-error', wrong);
    if (!wrong) this.#watch();
    this.draw();
  }

  #check(): MqttError | undefined {
    try {
      this.prepare();
    } catch (error) {
      if (error instanceof MqttError) return error;
      throw error;
    }
    if (this.#link || !this.connection) return undefined;
    const missing = `connection: there is no <mqtt-connection id=${JSON.stringify(this.connection)}> here`;
    return new MqttError('bad-option', missing, { field: 'connection' });
  }

  #relink(): void {
    const link = findConnection(this, this.connection);
    if (link === this.#link) return;
    this.#leave();
    this.#link = link;
    this.#leave = link?.use(this.#settle) ?? (() => {});
  }

  #watch(): void {
    const hub = this.#link?.hub;
    const { filter = '', qos = 0 } = this.watched() ?? {};
    const watching = filter && `${qos} ${filter}`;
    if (hub === this.#hub && watching === this.#watching) return;
    this.#release();
    if (watching !== this.#watching) this.forget();
    this.#hub = hub;
    this.#watching = watching;
    this.#failure = undefined;
    this.#release = () => {};
    if (!hub || !filter) return;
    this.#release = hub.watch(filter, qos as QoS, {
      received: (reading) => {
        this.#failure = undefined;
        this.received(reading);
        this.draw();
      },
      failed: (error) => this.fail(error),
    });
  }

  #stop(): void {
    document.removeEventListener(announced, this.#settle);
    this.#release();
    this.#leave();
    cancelAnimationFrame(this.#frame);
    this.#release = this.#leave = () => {};
    this.#link = this.#hub = undefined;
    this.#watching = '';
    this.#frame = 0;
    this.#wrong = this.#failure = undefined;
    this.forget();
  }
}
