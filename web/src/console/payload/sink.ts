export type Scalar = 'string' | 'number' | 'word' | 'bytes';

/** What a decoder gives its values to, in the order in which they stand in the payload. */
export interface Sink {
  /** It takes no more. */
  readonly full: boolean;
  /**
   * Keys and texts are as JSON writes them, quotes included; a note says what JSON cannot.
   * A step is what a path has in place of the key or the index; null where it has nothing.
   */
  open(bracket: '{' | '[', key?: string, note?: string, step?: string | null): void;
  leaf(kind: Scalar, text: string, key?: string, note?: string, step?: string | null): void;
  close(): void;
}
