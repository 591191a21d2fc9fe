/** What a message carries besides its topic. */

/** Text is sent as UTF-8. */
export type Payload = string | Uint8Array | ArrayBuffer | DataView;

/**
 * User properties: an object as in MQTT.js, or pairs where order and
 * duplicates matter. Received ones are always pairs.
 */
export type UserProperties = Record<string, string | string[]> | [name: string, value: string][];

export interface PublishProperties {
  payloadFormatIndicator?: boolean;
  /** Seconds. */
  messageExpiryInterval?: number;
  /** Not together with `autoAssignTopicAlias`. */
  topicAlias?: number;
  responseTopic?: string;
  correlationData?: Uint8Array | string;
  userProperties?: UserProperties;
  contentType?: string;
}
