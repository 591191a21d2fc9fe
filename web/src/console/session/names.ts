/** `name`, or `name (2)` and so on where that is taken; cut to `longest` characters. */
export function freeName(
  name: string,
  isTaken: (name: string) => boolean,
  longest = Number.MAX_SAFE_INTEGER,
): string {
  let free = name;
  for (let n = 2; isTaken(free); n++) {
    const number = ` (${n})`;
    free = name.slice(0, longest - number.length) + number;
  }
  return free;
}

/** What a connection to the address is called. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}
