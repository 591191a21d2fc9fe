export type Scalar = 'string' | 'number' | 'word' | 'bytes';

/** Receives a decoder's values, in the order of the payload. */
export interface Sink {
  /** It accepts no more. */
  readonly full: boolean;
  /**
   * Keys and texts are as in JSON, quotes included; a note says what JSON cannot. A step is what a
   * path has instead of the key or the index; null if no path leads to it.
   */
  open(bracket: '{' | '[', key?: string, note?: string, step?: string | null): void;
  leaf(kind: Scalar, text: string, key?: string, note?: string, step?: string | null): void;
  close(): void;
}
