/** The types of MQTT.js' interface, with its names. */

import type { MqttError } from '../client/errors';
import type { PacketFields } from '../client/packet';
import type { PropertyValue } from '../client/property-reader';
import type * as client from '../client/types';
import type { Bytes } from './bytes';

export type { QoS } from '../client/types';

export interface IClientOptions extends Omit<client.ConnectOptions, 'signal' | 'transformWsUrl'> {
  /** Called before each attempt; returns the address to use. */
  transformWsUrl?(url: string, options: IClientOptions, client: ConnectingClient): string | Promise<string>;
  /** `user:password`, instead of `username` and `password`. */
  auth?: string;
  /** Added to the address. A `clientId` in it is the client's. */
  query?: Record<string, string>;
  protocolId?: 'MQTT';
  /** Do not connect before `client.connect()` is called. Default false. */
  manualConnect?: boolean;
}

/** What is known of an `MqttClient` before an attempt. */
export interface ConnectingClient {
  readonly options: IClientOptions;
  readonly connected: boolean;
  readonly reconnecting: boolean;
}

export type IClientPublishOptions = Pick<client.PublishOptions, 'qos' | 'retain' | 'properties'>;
type SubscribeOption = 'qos' | 'nl' | 'rap' | 'rh' | 'properties';
export type IClientSubscribeOptions = Pick<client.SubscribeOptions, SubscribeOption>;
/** Options by filter. `resubscribe`: also what is subscribed to already. */
export type ISubscriptionMap = Record<string, IClientSubscribeOptions> | { resubscribe?: boolean };

export interface ISubscriptionGrant extends Omit<IClientSubscribeOptions, 'qos'> {
  topic: string;
  /** The QoS that the broker granted, or the reason code, from 128, of its refusal. */
  qos: number;
}

/** By name; a name that occurs more than once has an array. */
export type ReceivedUserProperties = Record<string, string | string[]>;
export interface IConnackPacket extends Omit<client.ConnackInfo, 'clientId' | 'properties'> {
  cmd: 'connack';
  properties: Omit<client.ConnackInfo['properties'], 'userProperties'> & {
    userProperties?: ReceivedUserProperties;
  };
}
export interface IPublishPacket extends Pick<client.Message, 'topic' | 'qos' | 'retain' | 'dup'> {
  cmd: 'publish';
  payload: Bytes;
  properties: Omit<client.MessageProperties, 'correlationData' | 'userProperties'> & {
    correlationData?: Bytes;
    userProperties?: ReceivedUserProperties;
  };
}

export interface IAckPacket {
  cmd: 'puback' | 'pubrec' | 'pubcomp' | 'suback' | 'disconnect';
  reasonCode?: number;
  /** Of SUBACK: as in the grants. */
  granted?: number[];
  properties?: { reasonString?: string; serverReference?: string; userProperties?: ReceivedUserProperties };
}

type PacketProperties = Record<string, PropertyValue | ReceivedUserProperties>;
export interface Packet extends Omit<PacketFields, 'payload' | 'password' | 'properties' | 'will'> {
  cmd: string;
  payload?: Bytes;
  password?: Bytes;
  properties?: PacketProperties;
  will?: Omit<NonNullable<PacketFields['will']>, 'payload' | 'properties'> & {
    payload: Bytes;
    properties: PacketProperties;
  };
}
export interface MqttClientEventCallbacks {
  connect(packet: IConnackPacket): void;
  message(topic: string, payload: Bytes, packet: IPublishPacket): void;
  reconnect(): void;
  /** The error is what ended the connection, unless the caller ended it. */
  close(error: MqttError | undefined): void;
  offline(): void;
  disconnect(packet: IAckPacket): void;
  error(error: MqttError): void;
  end(): void;
  /** While the client ends: everything that was sent has been acknowledged. */
  outgoingEmpty(): void;
  packetsend(packet: Packet): void;
  packetreceive(packet: Packet): void;
}

type Failed = MqttError | null;
type Grants = ISubscriptionGrant[];
export type DoneCallback<E = Failed> = (error: E) => void;
export type PacketCallback<E = Failed> = (error: E, packet?: IAckPacket) => void;
export type ClientSubscribeCallback = (error: Failed, granted?: Grants, packet?: IAckPacket) => void;
