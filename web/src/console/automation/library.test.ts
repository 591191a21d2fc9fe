import { describe, expect, test } from 'vitest';
import { browser } from '../core/testing';
import { bounds } from './bounds';
import { createLibrary } from './library';
import { type Script, ScriptError, scriptsFrom, textOf } from './text';
import { lineOfHang } from './where';

const script: Script = {
  name: 'One',
  filter: 'a/+/#',
  rate: 20,
  code: 'function onMessage() {\n  return 1;\n}',
};

describe('scripts as text', () => {
  test('survive export and import', () => {
    const two = [script, { ...script, name: 'Two', filter: '#', rate: 0 }];
    expect(scriptsFrom(textOf(two), 'file')).toEqual(two.map((one) => ({ ...one, foreign: true })));
  });

  test('need no header', () => {
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

  test('give the reason when they are refused', () => {
    expect(() => scriptsFrom('// mqttwasm script\n// Name: X\n', 'f')).toThrow('“X” is empty');
    expect(() => scriptsFrom('x'.repeat(bounds.code + 1), 'f')).toThrow('longer than');
    expect(() => scriptsFrom('// mqttwasm script\n// Topic filter: a/#/b\nx', 'f')).toThrow('topic filter');
    expect(() => scriptsFrom('x'.repeat(20_000_000), 'f')).toThrow('larger');
  });
});

describe('the library', () => {
  test('imports scripts under unused names, to be reviewed first', () => {
    const { open } = browser();
    const library = createLibrary(open());
    expect(library.add(script)).toEqual(['One']);
    expect(library.addText(textOf([script, script]), 'x.js')).toEqual(['One (2)', 'One (3)']);
    expect(library.find('One')?.foreign).toBeUndefined();
    expect(library.find('One (3)')?.foreign).toBe(true);
    expect(library.addText('', 'x.js')).toEqual([]);
    expect(library.problem.value).toBe('“x” is empty');
  });

  test('a name of maximum length is still made unique', () => {
    const library = createLibrary(browser().open());
    const long = { ...script, name: 'n'.repeat(100) };
    library.add(long, long);
    expect(library.entries.value.map(({ name }) => name)).toEqual([`${'n'.repeat(96)} (2)`, 'n'.repeat(100)]);
  });

  test('adds scripts from profiles once, disabled, and under unused names', () => {
    const { open } = browser();
    const library = createLibrary(open());
    const other = { ...script, code: 'function onMessage() {}' };
    library.add(other);
    const file = [script, { ...script, name: 'Again' }, { ...script, name: 'Other', rate: 3 }];
    const brought = library.bring(JSON.parse(JSON.stringify(file)));
    expect(brought).toMatchObject({ count: 2, known: 1 });
    expect([...brought.names]).toEqual([
      ['One', 'One (2)'],
      ['Again', 'One (2)'],
      ['Other', 'Other'],
    ]);
    expect(library.find('One')).toEqual(other);
    expect(library.find('One (2)')).toEqual({ ...script, name: 'One (2)', foreign: true });

    // As exported to a file, and imported again.
    library.add({ ...script, name: 'Empty', code: '' });
    const again = library.bring(library.plain(new Set(['One (2)', 'Other', 'Empty', 'none'])));
    expect([again.count, again.known]).toEqual([0, 3]);
    again.undo();
    expect(library.entries.value).toHaveLength(4);

    // A profile from elsewhere must not enable scripts that the user has reviewed or written.
    library.change('One (2)', { foreign: false });
    expect([...library.bring(file).names.keys()]).toEqual(['Other']);
    library.bring([{ ...script, code: 'new', name: 'New' }]).undo();
    expect(library.entries.value).toHaveLength(4);
  });

  test.each([
    [{}, 'The scripts in the file are not a list'],
    [null, 'The scripts in the file are not a list'],
    [Array(bounds.scripts + 1).fill(script), `The file holds more than ${bounds.scripts} scripts`],
    [[script, 7], 'Script 2 in the file: “name” is missing or not text'],
    [[{ ...script, name: ' ' }], 'Script 1 in the file: “name” is missing or not text'],
    [[{ ...script, code: ['x'] }], 'Script 1 in the file: “code” is missing or not text'],
    [[{ ...script, filter: undefined }], 'Script 1 in the file: “filter” is missing or not text'],
    [[{ ...script, filter: 'a/#/b' }], '“One”: its topic filter is not valid'],
    [[{ ...script, code: 'x'.repeat(bounds.code + 1) }], '“One” is longer than 100,000 characters'],
  ])('takes nothing of a list in a file that holds something else: %#', (value, why) => {
    const library = createLibrary(browser().open());
    library.add(script);
    expect(() => library.bring(value)).toThrow(new ScriptError(() => why));
    expect(library.entries.value).toEqual([script]);
  });

  test('reports when there is no room for scripts from profiles', () => {
    const { open, state } = browser();
    const library = createLibrary(open());
    const many = Array.from({ length: bounds.scripts }, (_, n) => ({ ...script, code: `${n}` }));
    library.add(script);
    expect(() => library.bring(many)).toThrow(/room for 100/);
    state.full = true;
    expect(() => library.bring(many.slice(0, 1))).toThrow(/no room/);
    expect(library.entries.value).toEqual([script]);
  });

  test('reads only the fields of a script from a file', () => {
    const library = createLibrary(browser().open());
    library.bring([
      { ...script, name: ` ${'n'.repeat(200)}`, rate: 1e9, code: 'a\r\nb', foreign: false, more: 1 },
    ]);
    const { publications: rate } = bounds.perSecond;
    expect(library.entries.value).toEqual([
      { name: 'n'.repeat(100), filter: script.filter, rate, code: 'a\nb', foreign: true },
    ]);
  });

  test('renames without loss, and never to an existing name', () => {
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

  test('ignores stored values that are not scripts', () => {
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
