import { MqttError, type Payload, type PublishResult, type QoS } from '../client/index';
import { emit, make, type Properties, setText } from './base';
import { MqttElement } from './element';
import { type Path, parsePath } from './path';
import type { Reading } from './reading';
import { texts } from './texts';

/**
 * Publishes: a button, a switch or a form. `mqtt-publish` and `mqtt-error` events, and text, report
 * the outcome. While one publish is under way it accepts no other.
 */
export class MqttPublish extends MqttElement {
  /** @internal */
  static override readonly properties: Properties = {
    ...MqttElement.properties,
    type: 'text',
    topic: 'text',
    payload: 'text',
    qos: 'number',
    retain: 'flag',
    onPayload: 'text',
    offPayload: 'text',
    stateTopic: 'text',
    path: 'text',
  };

  /** `button`, `switch` or `form`. Default `button`. */
  declare type: string;
  /** The topic to publish to. A form without one asks for it. */
  declare topic: string;
  /** The payload of a button, and the initial one of a form. */
  declare payload: string;
  /** Of what is published, and of the subscription to `stateTopic`. Default 0. */
  declare qos: number | undefined;
  /** Whether the broker is to retain the message for later subscribers. */
  declare retain: boolean;
  /** What a switch publishes when it is turned on. Default `ON`. */
  declare onPayload: string;
  /** What a switch publishes when it is turned off. Default `OFF`. */
  declare offPayload: string;
  /**
   * The topic on which the device reports its state. Default: none, and a switch shows its last
   * publish.
   */
  declare stateTopic: string;
  /** Path to the state in a JSON payload of `stateTopic`. */
  declare path: string;

  readonly #label = make('span', { part: 'label', id: 'label' });
  readonly #form = make('form', { part: 'form' });
  readonly #topic = make('input', {
    part: 'input',
    spellcheck: 'false',
    autocapitalize: 'off',
    autocomplete: 'off',
  });
  readonly #payload = make('input', { part: 'input', spellcheck: 'false', autocomplete: 'off' });
  readonly #topicText = document.createTextNode('');
  readonly #payloadText = document.createTextNode('');
  readonly #topicField = make('label', {}, this.#topicText, this.#topic);
  readonly #payloadField = make('label', {}, this.#payloadText, this.#payload);
  readonly #button = make('button');
  readonly #caption = make('slot');
  readonly #result = make('span', { part: 'result', role: 'status' });
  #path: Path = [];
  #kind = '';
  #begun: string | undefined;
  #checked = false;
  #busy = false;
  /** The outcome of the last publish. */
  #said = '';
  #failed = false;

  constructor() {
    super();
    this.#form.append(this.#topicField, this.#payloadField, this.#button);
    this.root.append(this.#label, this.#form, this.#result);
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.publish().catch(() => {}); // reported by event and text
    });
  }

  /** Whether a switch is on. */
  get checked(): boolean {
    return this.#checked;
  }

  /**
   * Publishes what a click would, or the given payload. Rejects with an `MqttError`, of code
   * `aborted` while another publish of this element is under way.
   */
  async publish(given?: Payload): Promise<PublishResult> {
    if (this.#busy) throw new MqttError('aborted', 'publish: another publish of this element is under way');
    const turnsOn = !this.#checked;
    const { topic, qos, retain } = this;
    const asked = topic || (this.#kind === 'form' ? this.#topic.value : '');
    const toggled = turnsOn ? this.onPayload || 'ON' : this.offPayload || 'OFF';
    const payload = { switch: toggled, form: this.#payload.value }[this.#kind] ?? this.payload;
    this.#say(texts.publishing);
    this.#busy = true;
    try {
      const client = this.link?.client;
      if (!client) throw new MqttError('not-connected', 'there is no <mqtt-connection> with an address');
      const result = await client.publish(asked, given ?? payload, { qos: (qos ?? 0) as QoS, retain });
      if (this.#kind === 'switch' && given === undefined && !this.stateTopic) this.#turn(turnsOn);
      this.#say(result.reasonCode === 16 ? texts.nobodySubscribed : texts.published);
      emit(this, 'mqtt-publish', { topic: asked, result });
      return result;
    } catch (error) {
      this.#say((error as MqttError).message, true);
      emit(this, 'mqtt-error', error as MqttError);
      throw error;
    } finally {
      this.#busy = false;
      this.draw();
    }
  }

  protected override watched() {
    return { filter: this.type === 'switch' ? this.stateTopic : '', qos: this.qos ?? 0 };
  }

  protected override prepare(): void {
    this.#path = parsePath(this.path);
    this.#kind = ['switch', 'form'].includes(this.type) ? this.type : 'button';
  }

  protected override received(reading: Reading): void {
    const value = reading.value(this.#path);
    const state = typeof value === 'string' ? value.trim() : JSON.stringify(value);
    // Any other payload leaves the switch as it is.
    if (state === (this.onPayload || 'ON')) this.#turn(true);
    else if (state === (this.offPayload || 'OFF')) this.#turn(false);
  }

  protected override render(): void {
    const kind = this.#kind;
    const button = this.#button;
    this.#topicField.hidden = kind !== 'form' || this.topic !== '';
    this.#payloadField.hidden = kind !== 'form';
    this.#topicText.data = texts.topic;
    this.#payloadText.data = texts.payload;
    if (this.#begun !== this.payload) this.#begun = this.#payload.value = this.payload;
    if (button.dataset.kind !== kind) {
      button.dataset.kind = kind;
      const track = make('span', { part: 'track', 'aria-hidden': 'true' }, make('span', { part: 'thumb' }));
      button.replaceChildren(...(kind === 'switch' ? [track] : []), this.#caption);
      button.setAttribute('part', kind === 'switch' ? 'button switch' : 'button send');
      if (kind === 'switch') button.setAttribute('role', 'switch');
      else button.removeAttribute('role');
    }
    // The slot's default text, shown if the page gives none.
    const labels = kind === 'form' ? texts.publish : this.label || texts.publish;
    setText(this.#caption, labels);
    setText(this.#label, kind === 'form' ? this.label : '');
    if (kind === 'switch') button.setAttribute('aria-checked', String(this.#checked));
    else button.removeAttribute('aria-checked');
    button.setAttribute('aria-disabled', String(this.#busy));
    setText(this.#result, this.#said || (this.error?.message ?? ''));
    this.#result.setAttribute('part', this.#failed || !this.#said ? 'result failed' : 'result');
    this.mark('checked', this.#checked);
    this.mark('busy', this.#busy);
  }

  #turn(on: boolean): void {
    const changed = on !== this.#checked;
    this.#checked = on;
    this.draw();
    if (changed)
      emit(this, 'mqtt-change', { value: on, topic: this.topic, receivedAt: Date.now(), retain: false });
  }

  #say(text: string, failed = false): void {
    this.#said = text;
    this.#failed = failed;
    this.draw();
  }
}
