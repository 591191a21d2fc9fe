/** An MQTT 5 client over WebSocket: Go compiled to WebAssembly, in a worker. */

import { connect } from './connect';

export { connect, connect as connectAsync };
export default { connect, connectAsync: connect };
export { MqttError, type MqttErrorCode } from './errors';
export type {
  CallOptions,
  Client,
  ClientEvents,
  ClientState,
  ConnackInfo,
  ConnectOptions,
  DisconnectInfo,
  EndOptions,
  Message,
  MessageHandler,
  MessageProperties,
  Payload,
  PublishOptions,
  PublishProperties,
  PublishResult,
  QoS,
  SubscribeOptions,
  Subscription,
  UserProperties,
  Will,
} from './types';
