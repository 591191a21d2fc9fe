/** Arguments of calls, validated and converted to the form that crosses the boundary. */

import type {
  BoundaryOptions,
  DisconnectCall,
  CallOptions as Limits,
  PublishCall,
  QoS,
  RequestCall,
  SubscribeCall,
  WireSubscription,
} from '../../protocol/boundary';
import {
  bad,
  binary,
  boolean,
  type Check,
  integer,
  oneOf,
  qos,
  shape,
  signal,
  text,
  timeout,
  u16,
  u32,
  userProperties,
} from './rules';
import { topicName } from './topics';

export const defaultTimeout = 30_000;
/** What an async iterable buffers for its reader: messages, and bytes. */
const defaultHighWaterMark = 10_000;
const defaultHighWaterMarkBytes = 16 << 20;

export const publishProperties = {
  payloadFormatIndicator: boolean,
  messageExpiryInterval: integer(0, u32),
  topicAlias: integer(1, u16), // 0 is not permitted [MQTT-3.3.2-8]
  responseTopic: topicName, // [MQTT-3.3.2-14]
  correlationData: binary,
  userProperties,
  contentType: text,
};

const limits = { timeout, signal };

/** A call's time limit, 30 seconds when it states none. */
export type Limited<T> = T & Limits & { timeout: number };

const requestFields = { ...limits, qos, properties: shape(publishProperties) };
const publishFields = shape({
  ...requestFields,
  retain: boolean,
  waitFor: oneOf('acknowledged', 'stored'),
});

/** The options of the connection that matter for a publish. */
export type Session = Pick<BoundaryOptions, 'queue' | 'store' | 'autoAssignTopicAlias'>;

export function publishCall(options: unknown = {}, session: Session = {}): Limited<PublishCall> {
  const call = publishFields(options, '');
  checkAlias(call, session);
  if (call.waitFor === 'stored' && session.store === undefined) {
    throw bad('waitFor', "must not be 'stored' without the connect option store");
  }
  if (call.waitFor === 'stored' && !call.qos) {
    throw bad('waitFor', "must not be 'stored' with QoS 0; give qos 1 or 2");
  }
  return { timeout: session.queue?.offline ? 0 : defaultTimeout, ...call };
}

export function requestCall(options: unknown = {}, session: Session = {}): Limited<RequestCall> {
  const call = shape(requestFields)(options, '');
  checkAlias(call, session);
  return { timeout: defaultTimeout, ...call };
}

function checkAlias({ properties }: PublishCall, { autoAssignTopicAlias }: Session): void {
  if (!autoAssignTopicAlias || properties?.topicAlias === undefined) return;
  throw bad('properties.topicAlias', 'must not be given: autoAssignTopicAlias chooses the aliases');
}

export interface SubscribeSettings {
  call: Limited<SubscribeCall>;
  subscription: Omit<WireSubscription, 'topic'>;
  bounds: { messages: number; bytes: number };
  handlerOnly: boolean;
}

const subscribeFields = shape({
  ...limits,
  qos,
  nl: boolean,
  rap: boolean,
  rh: integer(0, 2) as Check<QoS>,
  properties: shape({ subscriptionIdentifier: integer(1, 268_435_455), userProperties }),
  highWaterMark: integer(1, u32),
  highWaterMarkBytes: integer(1, Number.MAX_SAFE_INTEGER),
  handlerOnly: boolean,
});

export function subscribeSettings(options: unknown = {}): SubscribeSettings {
  const {
    timeout = defaultTimeout,
    signal,
    highWaterMark: messages = defaultHighWaterMark,
    highWaterMarkBytes: bytes = defaultHighWaterMarkBytes,
    handlerOnly = false,
    properties: { subscriptionIdentifier: identifier, ...properties } = {},
    ...subscription
  } = subscribeFields(options, '');
  return {
    call: { timeout, ...(signal && { signal }), ...(properties.userProperties && { properties }) },
    subscription: { qos: 0, ...subscription, ...(identifier !== undefined && { identifier }) },
    bounds: { messages, bytes },
    handlerOnly,
  };
}

const callFields = shape(limits);

export function plainCall(options: unknown = {}): Limited<object> {
  return { timeout: defaultTimeout, ...callFields(options, '') };
}

const endFields = shape({
  ...limits,
  reasonCode: integer(0, 255),
  reasonString: text,
  properties: shape({ sessionExpiryInterval: integer(0, u32), userProperties }),
});

export function endCall(options: unknown = {}): Limited<DisconnectCall> {
  const { properties, ...rest } = endFields(options, '');
  return { timeout: defaultTimeout, ...rest, ...properties };
}
