/** What a payload is written in. */
const names = ['text', 'json', 'hex', 'base64', 'cbor', 'msgpack', 'protobuf', 'sparkplug'] as const;
export type Format = (typeof names)[number];
export const isFormat = (value: unknown): value is Format => names.some((name) => name === value);

/** `script`: what a script made of it. */
export type ViewFormat = Format | 'image' | 'script';
