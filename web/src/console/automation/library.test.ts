import { describe, expect, test } from 'vitest';
import { browser } from '../core/testing';
import { bounds } from './bounds';
import { createLibrary } from './library';
import { type Script, scriptsFrom, textOf } from './text';
import { lineOfHang } from './where';

const script: Script = {
  name: 'One',
  filter: 'a/+/#',
  rate: 20,
  code: 'function onMessage() {\n  return 1;\n}',
};

describe('scripts as text', () => {
  test('come back as they went', () => {
    const two = [script, { ...script, name: 'Two', filter: '#', rate: 0 }];
    expect(scriptsFrom(textOf(two), 'file')).toEqual(two.map((one) => ({ ...one, foreign: true })));
  });

  test('need no head', () => {
    expect(scriptsFrom('onMessage = () => 1;\r\n', 'mine')).toEqual([
      {
        name: 'mine',
        filter: '#',
        rate: bounds.perSecond.publications,
        code: 'onMessage = () => 1;',
        foreign: true,
      },
    ]);
  });

  test('a name or a filter can’t become code', () => {
    const sly = { ...script, name: 'a\npublish("x")', filter: 'a\u2028b' };
    const [back] = scriptsFrom(textOf([sly]), 'file');
    expect(back).toMatchObject({ name: 'a publish("x")', code: script.code });
  });

  test('say why they are not taken', () => {
    expect(() => scriptsFrom('// mqttwasm script\n// Name: X\n', 'f')).toThrow('“X” is empty');
    expect(() => scriptsFrom('x'.repeat(bounds.code + 1), 'f')).toThrow('longer than');
    expect(() => scriptsFrom('// mqttwasm script\n// Topic filter: a/#/b\nx', 'f')).toThrow('topic filter');
    expect(() => scriptsFrom('x'.repeat(20_000_000), 'f')).toThrow('larger');
  });
});

describe('the library', () => {
  test('takes imported scripts under free names, to be looked at first', () => {
    const { open } = browser();
    const library = createLibrary(open());
    expect(library.add(script)).toEqual(['One']);
    expect(library.addText(textOf([script, script]), 'x.js')).toEqual(['One (2)', 'One (3)']);
    expect(library.find('One')?.foreign).toBeUndefined();
    expect(library.find('One (3)')?.foreign).toBe(true);
    expect(library.addText('', 'x.js')).toEqual([]);
    expect(library.problem.value).toBe('“x” is empty');
  });

  test('renames without loss, and never onto another', () => {
    const library = createLibrary(browser().open());
    library.add(script, { ...script, name: 'Two' });
    expect(library.change('One', { name: 'Two' })).toBe(false);
    expect(library.change('One', { name: '' })).toBe(false);
    expect(library.change('One', { name: 'Three', code: 'x' })).toBe(true);
    expect(library.entries.value.map(({ name, code }) => [name, code])).toEqual([
      ['Three', 'x'],
      ['Two', script.code],
    ]);
  });

  test('reads nothing that is no script', () => {
    const { open, items } = browser();
    items.set(
      'mqttwasm.scripts',
      JSON.stringify([
        script,
        { ...script, name: 'a', filter: 'a/#/b' },
        { ...script, name: '' },
        { ...script, name: 'b', code: 'x'.repeat(bounds.code + 1) },
        { ...script, name: 'c', rate: 1e9, foreign: true },
        7,
      ]),
    );
    expect(createLibrary(open()).entries.value).toEqual([
      { ...script, name: 'c', rate: bounds.perSecond.publications, foreign: true },
      script,
    ]);
  });
});

describe('the line of a hang', () => {
  const place = (line: number, column = 1) => ({ line, column });
  test.each([
    [
      'a loop after the beginning of its function',
      'function onMessage(m) {\n  let x = 0;\n  while (true) {\n    x++;\n  }\n}',
      place(1),
      3,
    ],
    [
      'a do loop',
      'const onMessage = (m) => {\n  let n = 1;\n  do {\n    n++;\n  } while (n);\n};',
      place(1, 19),
      3,
    ],
    ['the head of a loop', 'function f() {\n  for (const a of b())\n    for (;;) {}\n}', place(2, 19), 2],
    [
      'a loop within a loop',
      'function f() {\n  for (;;) {\n    a();\n    for (;;) {}\n  }\n}',
      place(3, 6),
      4,
    ],
    [
      'another function’s loop',
      'function f() {\n  g(f());\n}\nfunction g() {\n  for (;;) {}\n}',
      place(2, 6),
      2,
    ],
    ['the script’s own', 'let x = 1;\n\nfor (;;) {}', place(1), 3],
  ])('%s', (_, code, at, line) => {
    expect(lineOfHang(code, at)).toBe(line);
  });
});
