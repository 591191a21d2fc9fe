/** A colour for each topic filter: the same on every visit, and another one's only when all are taken. */

export const colourCount = 10;

function hash(text: string): number {
  let value = 0;
  for (let at = 0; at < text.length; at++) value = (Math.imul(value, 31) + text.charCodeAt(at)) >>> 0;
  return value;
}

/** Gives the number of a filter's colour, below `colourCount`. */
export function createColours(): (filter: string) => number {
  const given = new Map<string, number>();
  return (filter) => {
    const known = given.get(filter);
    if (known !== undefined) return known;
    const taken = new Set(given.values());
    const wanted = hash(filter) % colourCount;
    let colour = wanted;
    while (taken.size < colourCount && taken.has(colour)) colour = (colour + 1) % colourCount;
    given.set(filter, colour);
    return colour;
  };
}

export const colourOf = createColours();
