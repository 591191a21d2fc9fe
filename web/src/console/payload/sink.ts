export type Scalar = 'string' | 'number' | 'word' | 'bytes';

/** What a decoder gives its values to, in the order in which they stand in the payload. */
export interface Sink {
  /** It takes no more. */
  readonly full: boolean;
  /** Keys and texts are as JSON writes them, quotes included; a note says what JSON cannot. */
  open(bracket: '{' | '[', key?: string, note?: string): void;
  leaf(kind: Scalar, text: string, key?: string, note?: string): void;
  close(): void;
}
