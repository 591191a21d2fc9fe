/** `name`, or `name (2)` and so on where that is taken. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  let free = name;
  for (let n = 2; taken.has(free); n++) free = `${name} (${n})`;
  return free;
}

/** What a connection to the address is called. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}
