/** What a payload is written in. */
export type Format = 'text' | 'json' | 'hex' | 'base64' | 'cbor' | 'msgpack' | 'protobuf' | 'sparkplug';

/** `script`: what a script made of it. */
export type ViewFormat = Format | 'image' | 'script';
