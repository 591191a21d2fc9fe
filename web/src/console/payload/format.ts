/** What a payload is written in. */
export type Format = 'text' | 'json' | 'hex' | 'base64' | 'cbor' | 'msgpack' | 'protobuf' | 'sparkplug';

export type ViewFormat = Format | 'image';
