/** The types of MQTT.js' surface, by the names that it gives them. */

import type { MqttError } from '../client/errors';
import type { PacketFields } from '../client/packet';
import type {
  ConnackInfo,
  ConnectOptions,
  EndOptions,
  Payload,
  PublishProperties,
  QoS,
  SubscribeOptions,
} from '../client/types';
import type { Bytes } from './bytes';

export interface IClientOptions extends Omit<ConnectOptions, 'signal'> {
  /** Of MQTT.js; there is no other. */
  protocolId?: 'MQTT';
  /** Do not connect before `client.connect()` is called. Default false. */
  manualConnect?: boolean;
}

export interface IClientPublishOptions {
  /** Default 0. */
  qos?: QoS;
  retain?: boolean;
  properties?: PublishProperties;
}

export type IClientSubscribeOptions = Pick<SubscribeOptions, 'qos' | 'nl' | 'rap' | 'rh' | 'properties'>;

/** Options by filter. */
export type ISubscriptionMap = Record<string, IClientSubscribeOptions>;

export interface ISubscriptionGrant extends Omit<IClientSubscribeOptions, 'qos'> {
  topic: string;
  /** The QoS that the broker granted, or the reason code, from 128, of its refusal. */
  qos: number;
}

export type IConnackPacket = Omit<ConnackInfo, 'clientId'> & { cmd: 'connack' };

/** User properties by name; a name that came more than once has an array. */
export type ReceivedUserProperties = Record<string, string | string[]>;

export interface IPublishPacket {
  cmd: 'publish';
  topic: string;
  payload: Bytes;
  qos: QoS;
  retain: boolean;
  dup: boolean;
  properties: {
    payloadFormatIndicator?: boolean;
    /** Seconds. */
    messageExpiryInterval?: number;
    responseTopic?: string;
    correlationData?: Bytes;
    userProperties?: ReceivedUserProperties;
    subscriptionIdentifier?: number | number[];
    contentType?: string;
  };
}

export interface IAckPacket {
  cmd: 'puback' | 'pubcomp' | 'suback' | 'disconnect';
  reasonCode?: number;
  /** Of SUBACK: as in the grants. */
  granted?: number[];
  properties?: { reasonString?: string; serverReference?: string; userProperties?: ReceivedUserProperties };
}

export type IPacket = { cmd: string } & PacketFields;

export interface MqttClientEventCallbacks {
  connect: [packet: IConnackPacket];
  message: [topic: string, payload: Bytes, packet: IPublishPacket];
  reconnect: [];
  /** The error is what ended the connection, where it was not asked for. */
  close: [error: MqttError | undefined];
  offline: [];
  disconnect: [packet: IAckPacket];
  error: [error: MqttError];
  end: [];
  packetsend: [packet: IPacket];
  packetreceive: [packet: IPacket];
}

export type PublishCallback = (error: MqttError | null, packet?: IAckPacket | undefined) => void;
export type SubscribeCallback = (
  error: MqttError | null,
  granted?: ISubscriptionGrant[] | undefined,
  packet?: IAckPacket | undefined,
) => void;
export type DoneCallback = (error?: MqttError | null) => void;

type Listen = <E extends keyof MqttClientEventCallbacks>(
  event: E,
  listener: (...args: MqttClientEventCallbacks[E]) => void,
) => MqttClient;

export interface MqttClient {
  readonly connected: boolean;
  readonly reconnecting: boolean;
  /** `end` has been called. */
  readonly disconnecting: boolean;
  /** The client has ended. */
  readonly disconnected: boolean;
  readonly options: IClientOptions;

  /** For `manualConnect`. */
  connect(): MqttClient;
  publish(topic: string, message: Payload, callback?: PublishCallback): MqttClient;
  publish(
    topic: string,
    message: Payload,
    options?: IClientPublishOptions,
    callback?: PublishCallback,
  ): MqttClient;
  publishAsync(
    topic: string,
    message: Payload,
    options?: IClientPublishOptions,
  ): Promise<IAckPacket | undefined>;
  subscribe(topic: string | string[] | ISubscriptionMap, callback?: SubscribeCallback): MqttClient;
  subscribe(
    topic: string | string[] | ISubscriptionMap,
    options?: IClientSubscribeOptions,
    callback?: SubscribeCallback,
  ): MqttClient;
  subscribeAsync(
    topic: string | string[] | ISubscriptionMap,
    options?: IClientSubscribeOptions,
  ): Promise<ISubscriptionGrant[]>;
  unsubscribe(topic: string | string[], callback?: DoneCallback): MqttClient;
  unsubscribe(topic: string | string[], options?: object, callback?: DoneCallback): MqttClient;
  unsubscribeAsync(topic: string | string[]): Promise<void>;
  end(callback?: DoneCallback): MqttClient;
  end(force: boolean, callback?: DoneCallback): MqttClient;
  end(options: EndOptions, callback?: DoneCallback): MqttClient;
  end(force?: boolean, options?: EndOptions, callback?: DoneCallback): MqttClient;
  endAsync(force?: boolean, options?: EndOptions): Promise<void>;
  /** Connects now: instead of waiting, or again after the client has ended. */
  reconnect(): MqttClient;

  on: Listen;
  addListener: Listen;
  once: Listen;
  off: Listen;
  removeListener: Listen;
  removeAllListeners(event?: keyof MqttClientEventCallbacks): MqttClient;
}
