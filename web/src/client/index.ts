/**
 * `mqttwasm`: an MQTT 5 client over WebSocket, Go compiled to WebAssembly, in a worker.
 *
 * @packageDocumentation
 */

import { connect, createClient } from './create-client';

export { connect, connect as connectAsync, createClient };
export default { connect, connectAsync: connect, createClient };
export { MqttError, type MqttErrorCode } from './errors';
export type { Packet, PacketFields, PacketName, PacketProperties } from './packet';
export type {
  Answer,
  AuthStep,
  CallOptions,
  Client,
  ClientEvents,
  ClientState,
  ConnackInfo,
  ConnectOptions,
  Credentials,
  DisconnectInfo,
  EndOptions,
  Message,
  MessageHandler,
  MessageProperties,
  OfflineQueue,
  Payload,
  PublishOptions,
  PublishProperties,
  PublishResult,
  QoS,
  RequestHandler,
  RequestOptions,
  Server,
  SubscribeOptions,
  Subscription,
  UserProperties,
  WebSocketClass,
  Will,
} from './types';
