/**
 * `mqttwasm/elements`: MQTT in HTML, with custom elements that share one connection.
 * Importing this defines them.
 *
 * @packageDocumentation
 */

import type { ClientState, MqttError, PublishResult } from '../client/index';
import { define } from './base';
import { MqttChart } from './chart';
import { MqttConnection } from './connection';
import { MqttFeed } from './feed';
import { MqttPublish } from './publish';
import { MqttStatus } from './status';
import { texts } from './texts';
import { MqttValue } from './value';

export { MqttError } from '../client/index';
export { MqttChart, MqttConnection, MqttFeed, MqttPublish, MqttStatus, MqttValue, texts };

/** The detail of `mqtt-change`, of `<mqtt-value>` and of a switch, whose `value` is whether it is on. */
export interface ValueChange {
  /** The decoded value at `path`. */
  value: unknown;
  /** The message's topic; of a switch, the topic that it publishes to. */
  topic: string;
  /** Milliseconds since 1970. */
  receivedAt: number;
  /** Whether it was a retained message. */
  retain: boolean;
}

/** The elements by their tags. */
export interface MqttElements {
  'mqtt-connection': MqttConnection;
  'mqtt-value': MqttValue;
  'mqtt-chart': MqttChart;
  'mqtt-feed': MqttFeed;
  'mqtt-publish': MqttPublish;
  'mqtt-status': MqttStatus;
}

/** Their events, which bubble, also out of shadow roots. */
export interface MqttElementEvents {
  /** The state of the connection has changed. */
  'mqtt-state': CustomEvent<ClientState>;
  /** A wrong attribute, a refusal, or a publish that failed. */
  'mqtt-error': CustomEvent<MqttError>;
  /** The value has changed; at most once a frame. */
  'mqtt-change': CustomEvent<ValueChange>;
  /** It was published, and acknowledged if its QoS requires that. */
  'mqtt-publish': CustomEvent<{ topic: string; result: PublishResult }>;
}

/** What JSX and templates can set on the elements, by tag: their properties, and `on…` for their events. */
export type MqttElementProps = {
  [Tag in keyof MqttElements]: Partial<Omit<MqttElements[Tag], keyof HTMLElement>> & {
    [Name in keyof MqttElementEvents as `on${Name}`]?: (event: MqttElementEvents[Name]) => void;
  };
};

declare global {
  interface HTMLElementTagNameMap extends MqttElements {}
  interface HTMLElementEventMap extends MqttElementEvents {}
}

// A page may be rendered on a server, without elements. The connection comes first, since others
// look for it.
if (typeof customElements !== 'undefined') {
  define('mqtt-connection', MqttConnection);
  define('mqtt-value', MqttValue);
  define('mqtt-chart', MqttChart);
  define('mqtt-feed', MqttFeed);
  define('mqtt-publish', MqttPublish);
  define('mqtt-status', MqttStatus);
}
