import { encode } from 'cborg';
import { expect, it, vi } from 'vitest';
import type { Message } from '../../client';
import type { Entry } from './entry';
import { patternFor, split } from './find';
import { createMarks } from './marks';

it('marks matches in a decoded payload once its decoder is loaded', async () => {
  const pattern = patternFor('21.5', false, false);
  const finder = {
    split: async (by: typeof pattern, texts: string[]) => texts.map((text) => split(by, text)),
  };
  const marks = createMarks(
    finder,
    () => ({}),
    () => pattern,
  );
  const message = { topic: 'a', payload: encode({ t: 21.5 }), properties: {} } as Message;
  const entry = { message } as Entry;
  await vi.waitFor(() => {
    expect(marks.of(entry)).toEqual({ topic: ['a'], text: ['{t: ', '21.5', '}'] });
  });
});
