/** What loads when it is needed, or while the program does. */
const later = [
  'packet',
  'reason-codes',
  'receiving',
  'message',
  'property-reader',
  'iterator-buffer',
  'subscription',
  'request',
  'auth',
  'routing',
  'transport/(restart|resent|shared|inline)',
];

/** One chunk of what every page with a client needs at once: it compresses better than several. */
export const clientChunk = {
  name: 'client',
  test: new RegExp(
    `/src/(client/(?!${later.join('|')})|platform/(?!liveness-lock|shared-worker-names)|protocol/)`,
  ),
};
