import { within } from '../platform/deferred';
import type { WireError } from '../protocol/boundary';

/**
 * - `bad-option`: an option or argument is wrong; `field` names it.
 * - `refused`: the broker refused; `reasonCode` and `reasonString` say why.
 * - `timeout`: no answer in time. A QoS 1 or 2 publish may still arrive.
 * - `not-connected`: there is no connection to send on.
 * - `packet-too-large`: over the broker's Maximum Packet Size, or a received packet over ours.
 * - `aborted`: the call's AbortSignal fired, and gave no reason of its own (`cause` is the signal's
 *   AbortError), or `end()` was called first, or a function among the options threw: then `field`
 *   names it, and `cause` is what it threw.
 * - `network`: the WebSocket could not be opened, or was lost.
 * - `disconnected`: the broker sent DISCONNECT; `reasonCode` says why.
 * - `protocol`: what the broker sent is not MQTT 5: a malformed packet, one that must not come, or
 *   text instead of bytes; or it could not prove its identity.
 * - `unsupported`: the broker announced that it does not offer what was asked for.
 * - `session-lost`: the broker lost the session before the publish was acknowledged.
 * - `queue-full`: the queue of what waits to be sent is full, and its policy is `reject`; or the
 *   message alone is larger than the queue.
 * - `dropped`: the queue was full, and its policy dropped this message. As an `error` event: of a
 *   shared client, too many messages of QoS 1 and 2 waited for a page that was frozen; or a listener
 *   transferred the buffer of a message, and lost those that shared it.
 * - `expired`: the message's `messageExpiryInterval` passed while it waited to be sent.
 * - `storage`: the durable store failed or is full; the message says why.
 * - `in-use`: another client uses the durable store; end it, give another `clientId`, or share it.
 * - `crashed`: the client's program ended, could not be started, no longer answers (which is found
 *   out within 25 s, or 5 s after a call that it left without an answer; 30 s if it never said
 *   anything), or is from another build than the page; the message says which. Connect again. A
 *   shared client does so by itself, unless `reconnectPeriod` is 0; pending calls reject, and a
 *   publish may have arrived.
 */
export type MqttErrorCode =
  | 'bad-option'
  | 'refused'
  | 'timeout'
  | 'not-connected'
  | 'packet-too-large'
  | 'aborted'
  | 'network'
  | 'disconnected'
  | 'protocol'
  | 'unsupported'
  | 'session-lost'
  | 'queue-full'
  | 'dropped'
  | 'expired'
  | 'storage'
  | 'in-use'
  | 'crashed';

type Told = Omit<WireError, 'code' | 'message'>;
export type MqttErrorDetail = { [Name in keyof Told]: Told[Name] | undefined } & { cause?: unknown };

/**
 * The one error class: every promise rejects with it, except that a call whose signal was aborted
 * with a reason of the caller's own rejects with that.
 */
export class MqttError extends Error {
  override readonly name = 'MqttError';
  readonly code!: MqttErrorCode;
  /** The option or argument that was wrong. */
  readonly field?: string;
  /** The broker's reason code (MQTT 5, 2.4); only what the broker sent. */
  readonly reasonCode?: number;
  readonly reasonString?: string;
  /** Another server that the broker pointed to (MQTT 5, 4.11). */
  readonly serverReference?: string;
  /** The WebSocket close code (RFC 6455, 7.4.1), if there was one. */
  readonly closeCode?: number;
  readonly closeReason?: string;

  constructor(code: MqttErrorCode, message: string, detail: MqttErrorDetail = {}) {
    const { cause, ...told } = detail;
    super(message, cause === undefined ? undefined : { cause });
    Object.assign(this, { code, ...told });
  }
}

/** What a call rejects with when its signal has fired: the caller's own reason, if any. */
export function aborted(signal: AbortSignal | undefined): unknown {
  const reason: unknown = signal?.reason;
  const given = reason !== undefined && !(reason instanceof DOMException && reason.name === 'AbortError');
  return given ? reason : new MqttError('aborted', 'aborted by its signal', { cause: reason });
}

/** The promise's outcome, unless the time is up first, as `late` then says, or the signal fires. */
export function limited<T>(
  promise: Promise<T>,
  limits: { timeout?: number; signal?: AbortSignal },
  late: string,
): Promise<T> {
  return within(
    promise,
    limits,
    () => new MqttError('timeout', late),
    () => aborted(limits.signal),
  );
}

export function fromWire(error: WireError): MqttError {
  return new MqttError(error.code as MqttErrorCode, error.message, error);
}

/** As plain data: structured clone drops the fields of an error. */
export function toWire({ code, message, field }: MqttError): WireError {
  return { code, message, ...(field !== undefined && { field }) };
}
