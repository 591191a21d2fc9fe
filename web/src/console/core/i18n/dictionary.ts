/** English sentences and their translations. */
export type Dictionary = Readonly<Record<string, string>>;
