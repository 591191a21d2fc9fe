import { limits } from '../core/limits';
import { visible } from '../core/text';
import type { Sink } from './sink';
import type { Kind, Token } from './tokens';

/** Takes decoded values as one line, such as `{t: 7.2, on: true}`. Is full with `most` characters. */
export function createOneLine(most: number): Sink & { readonly tokens: Token[] } {
  const tokens: Token[] = [];
  const open: string[] = [];
  let length = 0;
  let follows = false;

  function add(kind: Kind, text: string): void {
    if (length >= most) return;
    tokens.push([kind, visible(text.slice(0, most - length))]);
    length += text.length;
  }

  function value(kind: Kind, text: string, key: string | undefined): void {
    if (follows) add('plain', ', ');
    if (key !== undefined) {
      add('key', key.replace(/^"([\w$.#/-]+)"$/, '$1'));
      add('plain', open.length > 0 ? ': ' : ' ');
    }
    add(kind, text);
    follows = true;
  }

  return {
    tokens,
    get full() {
      return length >= most || tokens.length >= limits.row.tokens;
    },
    open(bracket, key) {
      value('plain', bracket, key);
      open.push(bracket === '{' ? '}' : ']');
      follows = false;
    },
    leaf: value,
    close() {
      add('plain', open.pop() ?? '');
      follows = true;
    },
  };
}
