/** At which line a script hung. */

import { javascriptLanguage } from '@codemirror/lang-javascript';
import type { Place } from './protocol';

const loops = new Set(['ForStatement', 'WhileStatement', 'DoStatement']);
const functions = new Set([
  'FunctionDeclaration',
  'FunctionExpression',
  'ArrowFunction',
  'MethodDeclaration',
]);

/**
 * The engine reports the last place before the loop in which it was stopped: in the head of that
 * loop, or before it. Returns the line of `place` itself if there is no such loop.
 */
export function lineOfHang(code: string, place: Place): number {
  const lines = code.split('\n');
  const before = lines.slice(0, place.line - 1).reduce((sum, line) => sum + line.length + 1, 0);
  const at = before + place.column - 1;
  const tree = javascriptLanguage.parser.parse(code);

  let around = tree.resolveInner(at, 1);
  for (; around.parent; around = around.parent) {
    const body = around.getChild('Block') ?? around.lastChild;
    if (loops.has(around.name) && body && at < body.from && around.name !== 'DoStatement') return place.line;
    if (functions.has(around.name)) break;
  }
  let found: number | undefined;
  tree.iterate({
    from: around.from,
    to: around.to,
    enter({ name, from }) {
      if (found !== undefined || (from > at && functions.has(name))) return false;
      if (from >= at && loops.has(name)) found = from;
      return found === undefined;
    },
  });
  return found === undefined ? place.line : code.slice(0, found).split('\n').length;
}
