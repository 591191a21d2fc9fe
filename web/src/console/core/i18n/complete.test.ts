import { readdirSync, readFileSync } from 'node:fs';
import { parseSync } from 'vite';
import { expect, test } from 'vitest';
import { zh } from './zh';

// All visible text goes through `t`, and every sentence is translated.

interface Node {
  type: string;
  start: number;
  [key: string]: unknown;
}

const root = new URL('../../', import.meta.url);
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
  (name) => /\.tsx?$/.test(name) && !/\.test\.ts$/.test(name) && !/^core\/i18n\/.*\.ts$/.test(name),
);

/** Attributes whose text is visible or read aloud. */
const spoken = new Set(['aria-label', 'aria-description', 'title', 'placeholder', 'label', 'hint', 'alt']);
/** Names that are the same in every language. */
const untranslated =
  /^(mqttwasm|MQTT( 5)?|QoS( \d)?|JSON|NDJSON|CSV|CBOR|MessagePack|Protobuf|Sparkplug B|Base64|URL|PNG|[^\p{L}]*)$/u;

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
}

function* nodesOf(node: Node): Generator<Node> {
  yield node;
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) yield* nodesOf(child);
  }
}

const stringOf = (node: unknown): string | undefined =>
  isNode(node) && node.type === 'Literal' && typeof node.value === 'string' ? node.value : undefined;

/** The literals an expression can evaluate to; conditionals have two. */
function* literalsOf(node: unknown): Generator<string | undefined> {
  if (!isNode(node)) return;
  if (node.type === 'ConditionalExpression') {
    yield* literalsOf(node.consequent);
    yield* literalsOf(node.alternate);
  } else yield stringOf(node);
}

const sentences = new Map<string, string>();
const raw: string[] = [];

for (const file of files) {
  const text = readFileSync(new URL(file, root), 'utf8');
  const where = (node: Node) => `${file}:${text.slice(0, node.start).split('\n').length}`;
  const say = (node: Node, words: string) => {
    if (!untranslated.test(words.trim())) raw.push(`${where(node)} ${words.trim()}`);
  };
  for (const node of nodesOf(parseSync(file, text).program as unknown as Node)) {
    if (node.type === 'JSXText') say(node, String(node.value));
    if (node.type === 'JSXAttribute' && isNode(node.name) && spoken.has(String(node.name.name))) {
      const value =
        isNode(node.value) && node.value.type === 'JSXExpressionContainer'
          ? node.value.expression
          : node.value;
      for (const words of literalsOf(value)) if (words !== undefined) say(node, words);
    }
    if (node.type !== 'CallExpression' || !isNode(node.callee) || !Array.isArray(node.arguments)) continue;
    const called = node.callee.name;
    // Only English has a form for one.
    const given: unknown = node.arguments[called === 'plural' ? 2 : 0];
    // `mark` names a sentence that is translated later, where it is shown.
    if (called !== 't' && called !== 'parts' && called !== 'plural' && called !== 'mark') continue;
    for (const words of literalsOf(given)) if (words !== undefined) sentences.set(words, where(node));
  }
}

test('all visible text goes through t', () => {
  expect(raw).toEqual([]);
});

test('every sentence has a translation, and no translation is unused', () => {
  expect([...sentences.keys()].filter((words) => !Object.hasOwn(zh, words))).toEqual([]);
  expect(Object.keys(zh).filter((words) => !sentences.has(words))).toEqual([]);
});

test('a translation has the same placeholders as its sentence', () => {
  const valuesIn = (words: string) => [...words.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
  for (const [words, translation] of Object.entries(zh)) {
    expect([words, valuesIn(translation)]).toEqual([words, valuesIn(words)]);
  }
});
