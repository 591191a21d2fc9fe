/**
 * The batch format, in which Go hands over received messages.
 *
 * A batch is records one after the other. A record is the PUBLISH packet's own
 * form (MQTT 5, 3.3) without what the page has no use for:
 *
 *     u32 little endian   bytes that follow in this record
 *     u8                  retain (bit 0), QoS (bits 1-2), DUP (bit 3), as in the fixed header
 *     f64 little endian   when it was read, milliseconds since 1970
 *     UTF-8 string        topic, with any alias resolved
 *     variable byte int   bytes of the properties, then the properties in wire form
 *     the rest            payload
 */
export {};
