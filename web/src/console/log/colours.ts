/** Colours that distinguish subscriptions and connections: hues of one lightness, in degrees. */

/** The hue that is farthest from all that are used. */
export function farthestHue(used: readonly number[]): number {
  const sorted = [...new Set(used)].sort((one, other) => one - other);
  let [best, widest] = [180, 0];
  sorted.forEach((from, index) => {
    const gap = (sorted[index + 1] ?? (sorted[0] as number) + 360) - from;
    if (gap > widest) [best, widest] = [(from + (gap >> 1)) % 360, gap];
  });
  return best;
}

/** Of connections. */
const hues = [180, 255, 45, 320, 130, 15, 220, 85, 290, 350];

function hash(text: string): number {
  let value = 0;
  for (let at = 0; at < text.length; at++) value = (Math.imul(value, 31) + text.charCodeAt(at)) >>> 0;
  return value;
}

/** Names whose hues are kept. */
const most = 1000;

/** Gives a name its hue: the same on every visit, and shared with another name only when all are taken. */
export function createHues(): (name: string) => number {
  const given = new Map<string, number>();
  const taken = new Set<number>();
  return (name) => {
    const known = given.get(name);
    if (known !== undefined) return known;
    let at = hash(name) % hues.length;
    while (taken.size < hues.length && taken.has(at)) at = (at + 1) % hues.length;
    taken.add(at);
    const hue = hues[at] as number;
    if (given.size < most) given.set(name, hue);
    return hue;
  };
}
