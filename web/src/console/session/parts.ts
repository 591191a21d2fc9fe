/** State of parts of the page that load later: made when first needed, and disposed of with its owner. */

export interface Parts<Owner> {
  /**
   * The object that `make` made; there is one of each. Its `dispose`, if any, is called at its
   * owner's end.
   */
  part<T extends object>(make: (owner: Owner) => T): T;
  disposeParts(): void;
}

export function createParts<Owner>(owner: () => Owner): Parts<Owner> {
  const made = new Map<unknown, object>();
  return {
    part<T extends object>(make: (owner: Owner) => T): T {
      const known = made.get(make) as T | undefined;
      if (known) return known;
      const part = make(owner());
      made.set(make, part);
      return part;
    },
    disposeParts() {
      for (const part of made.values()) {
        if ('dispose' in part && typeof part.dispose === 'function') part.dispose();
      }
      made.clear();
    },
  };
}
