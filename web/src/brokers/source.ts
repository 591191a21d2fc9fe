import { MqttError } from '../client/index';

/** A value, or a function that returns it at each attempt. */
export type Source<T> = T | (() => T | Promise<T>);

export async function resolved<T extends string | object>(source: Source<T>): Promise<T> {
  return typeof source === 'function' ? await source() : source;
}

export function bad(field: string, what: string): MqttError {
  return new MqttError('bad-option', `${field}: ${what}`, { field });
}

/** Percent-encoded, all but the unreserved characters (RFC 3986, 2.3). */
export function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
