import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { visible } from '../core/text';
import { find, patternFor, split } from './find';
import { createFinder, TooSlow } from './finder';

function haystack(...messages: [topic: string, payload: Uint8Array | string][]) {
  const payloads = messages.map(([, payload]) =>
    typeof payload === 'string' ? new TextEncoder().encode(payload) : payload,
  );
  let end = 0;
  const ends = payloads.map(({ length }) => (end += length));
  return {
    topics: messages.map(([topic]) => topic),
    bytes: Uint8Array.from(payloads.flatMap((p) => [...p])),
    ends,
    texts: [],
  };
}

it.each([
  ['a', false, false, [0, 1, 2]],
  ['A', false, true, []],
  ['é', false, false, [1]],
  ['x', false, false, []],
  ['ok', false, false, [2]],
  ['^.$', true, false, [3]],
  ['a\\"?b', true, false, [1]],
])('%j, an expression: %s, matching case: %s', (typed, expression, matchCase, expected) => {
  const messages = haystack(
    ['a/1', ''],
    ['tt', 'abÉ'],
    ['aa', Uint8Array.of(0xff, 0x6f, 0x6b)],
    ['topic', '🎉'],
  );
  expect(find(patternFor(typed, expression, matchCase), messages)).toEqual(expected);
});

it('finds what JSON has as escapes, as it is shown', () => {
  const messages = haystack(['a', String.raw`{"name":"\u6e29\u5ea6"}`], ['b', '温度']);
  expect(find(patternFor('温度', false, false), messages)).toEqual([0, 1]);
  expect(find(patternFor('\\u6e29', false, false), messages)).toEqual([0]);
});

it.each(['(', '[', 'a{2,1}', '*'])('%j is searched as text, as it is not a valid expression', (typed) => {
  expect(() => patternFor(typed, true, false)).toThrow(SyntaxError);
  expect(find(patternFor(typed, false, false), haystack([`x${typed}x`, ''], ['y', '']))).toEqual([0]);
});

it('finds text at its position, and splits without loss', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }),
      fc.string({ minLength: 1 }),
      fc.string(),
      (before, typed, after) => {
        const text = before + typed + after;
        const pattern = patternFor(typed, false, true);
        expect(find(pattern, haystack([text, ''], ['', new TextEncoder().encode(text)]))).toEqual([0, 1]);
        const parts = split(pattern, text);
        expect(parts.join('')).toBe(visible(text));
        expect(parts[1]).toBe(visible(typed));
      },
    ),
  );
});

it('searches decoded text, if there is any', () => {
  const messages = { ...haystack(['a', ''], ['b', ''], ['c', 'x']), texts: ['x', ''] };
  expect(find(patternFor('x', false, false), messages)).toEqual([0, 2]);
  expect(find(patternFor('^$', true, false), messages)).toEqual([0, 1]);
});

it('searches arbitrary bytes', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array()), (payloads) => {
      const messages = haystack(...payloads.map((payload): [string, Uint8Array] => ['t', payload]));
      expect(find(patternFor('t', false, false), messages)).toEqual([...payloads.keys()]);
      expect(find(patternFor('nowhere', false, true), messages)).toEqual([]);
    }),
  );
});

it('ignores empty matches, and terminates', () => {
  expect(split(patternFor('x*', true, false), 'axxb')).toEqual(['a', 'xx', 'b']);
  expect(split(patternFor('a', false, false), 'a'.repeat(1000))).toHaveLength(101);
});

describe('the worker', () => {
  function made() {
    const workers: {
      postMessage: ReturnType<typeof vi.fn>;
      terminate: ReturnType<typeof vi.fn>;
      worker: Worker;
    }[] = [];
    const finder = createFinder(() => {
      const worker = { postMessage: vi.fn(), terminate: vi.fn() };
      workers.push({ ...worker, worker: worker as unknown as Worker });
      return worker as unknown as Worker;
    });
    const say = (data: unknown) => workers.at(-1)?.worker.onmessage?.({ data } as MessageEvent);
    return { finder, workers, say };
  }
  const pattern = { source: 'a', flags: '' };

  it('is started once, by the first search', async () => {
    const { finder, workers, say } = made();
    expect(workers).toHaveLength(0);
    const answers = [finder.split(pattern, ['a']), finder.split(pattern, ['b'])];
    say('ready');
    say({ id: 1, answer: 'second' });
    say({ id: 0, answer: 'first' });
    expect(await Promise.all(answers)).toEqual(['first', 'second']);
    expect(workers).toHaveLength(1);
  });

  it('is terminated if it does not respond, but not while loading', async () => {
    vi.useFakeTimers();
    try {
      const { finder, workers, say } = made();
      const answer = finder.split(pattern, ['a']).catch((error: unknown) => error);
      vi.advanceTimersByTime(60_000);
      expect(workers[0]?.terminate).not.toHaveBeenCalled();
      say('ready');
      vi.advanceTimersByTime(2000);
      expect(await answer).toBeInstanceOf(TooSlow);
      expect(workers[0]?.terminate).toHaveBeenCalled();
      void finder.split(pattern, ['a']).catch(() => {});
      expect(workers).toHaveLength(2);
    } finally {
      vi.useRealTimers();
    }
  });

  it('is terminated with its search, and kept if idle', async () => {
    const { finder, workers, say } = made();
    finder.drop();
    const dropped = finder.split(pattern, ['a']);
    finder.drop();
    await expect(dropped).rejects.toThrow('dropped');
    expect(workers[0]?.terminate).toHaveBeenCalled();
    const answer = finder.split(pattern, ['a']);
    say({ id: 1, answer: 'here' });
    expect(await answer).toBe('here');
    finder.drop();
    expect(workers[1]?.terminate).not.toHaveBeenCalled();
  });
});
