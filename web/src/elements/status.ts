import { make, setText } from './base';
import { MqttElement } from './element';
import { texts } from './texts';

/**
 * The state of the connection, why there is none, and a button to try again when the client has
 * stopped trying.
 */
export class MqttStatus extends MqttElement {
  readonly #label = make('span', { part: 'label' });
  readonly #dot = make('span', { 'aria-hidden': 'true' });
  readonly #text = make('span', { part: 'state', role: 'status' });
  readonly #error = make('span', { part: 'error' });
  readonly #retry = make('button', { part: 'retry', type: 'button' });

  constructor() {
    super();
    const status = make('span', { part: 'status' }, this.#dot, this.#text);
    this.root.append(this.#label, status, ' ', this.#error, ' ', this.#retry);
    this.#retry.addEventListener('click', () => this.link?.reconnect());
  }

  protected override render(): void {
    const { link } = this;
    const state = link?.state ?? 'disconnected';
    const error = this.error ?? link?.error;
    setText(this.#label, this.label);
    setText(this.#text, texts[state]);
    setText(this.#error, error?.message ?? '');
    setText(this.#retry, texts.tryAgain);
    this.#dot.setAttribute('part', `dot dot-${state}`);
    this.#retry.hidden = !(link?.ended && link.error);
    for (const name of ['connecting', 'connected', 'reconnecting', 'disconnected'])
      this.mark(name, name === state);
  }
}
