/**
 * The version of what crosses between a page and its workers: of the messages, of the
 * Go boundary behind them, and of the records in their buffers
 * (`client/message.ts`, `client/packet.ts`, `client/transport/publish-batch.ts`).
 *
 * A worker sends it first. Its script keeps its name in the npm package, so a page may get an old
 * one from a cache, and a shared worker may have been started by a tab that was opened before the
 * site was redeployed.
 */
export const protocolVersion = 2;
