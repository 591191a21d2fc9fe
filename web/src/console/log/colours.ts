/**
 * A colour for each topic filter, and for each connection: the same on every
 * visit, and another one's only when all are taken.
 */

export const colourCount = 10;

function hash(text: string): number {
  let value = 0;
  for (let at = 0; at < text.length; at++) value = (Math.imul(value, 31) + text.charCodeAt(at)) >>> 0;
  return value;
}

/** Texts whose colours are kept. */
const most = 1000;

/** Gives the number of a text's colour, below `colourCount`. */
export function createColours(): (text: string) => number {
  const given = new Map<string, number>();
  const taken = new Set<number>();
  return (text) => {
    const known = given.get(text);
    if (known !== undefined) return known;
    const wanted = hash(text) % colourCount;
    let colour = wanted;
    while (taken.size < colourCount && taken.has(colour)) colour = (colour + 1) % colourCount;
    taken.add(colour);
    if (given.size < most) given.set(text, colour);
    return colour;
  };
}

export const colourOf = createColours();
/** Of connections, by their names. */
export const viaColourOf = createColours();
