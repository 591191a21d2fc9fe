import { expect, test } from 'vitest';
import type { Readable } from './guess';
import { previewOf as preview } from './preview';
import { read } from './read';

const message = (): Readable => ({ topic: 'a', payload: new TextEncoder().encode('212'), properties: {} });
const previewOf = (message: Readable) => preview(message, () => ({}));
const reading = { json: '{"celsius":100,"big":12345678901234567890}', by: 'Unit conversion' };

test('a script’s value is shown in its row, even if the row was shown before', async () => {
  const one = message();
  expect(previewOf(one)).toMatchObject({ kind: 'text', text: '212' });
  one.decoded = reading;
  await previewOf(one).ready;
  expect(previewOf(one)).toMatchObject({
    kind: 'decoded',
    format: 'Unit conversion',
    text: '{celsius: 100, big: 12345678901234567890}',
  });
  one.decoded = { ...reading, json: '1' };
  expect(previewOf(one)).toMatchObject({ kind: 'decoded', text: '1' });
});

test('is shown as structured values, unless another format was chosen', async () => {
  const one = { ...message(), decoded: reading };
  const shown = await read(one, {}, 0);
  expect(shown).toMatchObject({ format: 'script', kind: 'lines', whole: true });
  expect(shown.kind === 'lines' && shown.lines.map(({ text }) => text)).toEqual([
    '{',
    '100',
    '12345678901234567890',
    '}',
  ]);
  expect(await read(one, { format: 'hex' }, 0)).toMatchObject({
    kind: 'text',
    format: 'hex',
    text: expect.stringContaining('32 31 32'),
  });
});
