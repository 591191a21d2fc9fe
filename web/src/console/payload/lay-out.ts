/** Formats JSON as it is typed. */

/** A text, a value with what stands for values, or a sign. */
const tokens = /"(?:\\.|[^"\\])*"|(?:\{\{[^{}]{1,80}\}\}|[^\s"[\]{}:,])+|[[\]{}:,]/g;

const opens = (token?: string) => token === '{' || token === '[';
const closes = (token?: string) => token === '}' || token === ']';

/** With a line for each value, which stays as it is written: `JSON.parse` would round numbers. `{{…}}` is a value. */
export function layOut(text: string): string {
  let depth = 0;
  let before: string | undefined;
  let out = '';
  const line = () => `\n${'  '.repeat(depth)}`;
  for (const [token] of text.matchAll(tokens)) {
    if (closes(token)) {
      depth--;
      if (!opens(before)) out += line();
    } else if (opens(before) || before === ',') out += line();
    out += token === ':' ? ': ' : token;
    if (opens(token)) depth++;
    before = token;
  }
  return out;
}
