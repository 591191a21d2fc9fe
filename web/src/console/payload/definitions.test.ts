import { expect, it } from 'vitest';
import { browser } from '../core/testing';
import { type Choices, createChoices } from './choices';
import { definedBy, load } from './definitions';

const file = (name: string, text: string) => new File([text], name);
const reading = file('reading.proto', 'syntax = "proto3"; message Reading { int32 x = 1; }');
const state = file('state.proto', 'syntax = "proto3"; message State { bool on = 1; }');
const using = file('using.proto', 'import "state.proto"; message Using { optional State state = 1; }');

const namesIn = ({ files }: Choices) => files.entries.value.map(({ name }) => name);
const typesIn = ({ files }: Choices) => definedBy(files.entries.value).types;
const told = async (choices: Choices, files: File[]): Promise<string> => {
  const words = await load(choices, files);
  return words ? words() : words;
};

it('.proto files are there at the next visit', async () => {
  const { open } = browser();
  expect(await told(createChoices(open()), [state, using])).toBe('');
  const next = createChoices(open());
  expect(namesIn(next)).toEqual(['state.proto', 'using.proto']);
  expect(typesIn(next)).toEqual(['State', 'Using']);
});

it('.proto files loaded in one tab are shared with the others', async () => {
  const { open } = browser();
  const [one, other] = [createChoices(open()), createChoices(open())];
  await load(one, [reading]);
  expect(typesIn(other)).toEqual(['Reading']);
  const before = one.recall('a');
  expect(one.recall('a')).toBe(before);
  await load(other, [state, using]);
  expect(namesIn(one)).toEqual(['state.proto', 'using.proto']);
  expect(typesIn(one)).toEqual(['State', 'Using']);
  expect(one.recall('a')).not.toBe(before);
});

it('.proto files are those of their page, with every choice, and not stored with one', async () => {
  const { open, items } = browser();
  const [one, another] = [createChoices(open()), createChoices(browser().open())];
  await load(one, [reading]);
  one.remember('b', { ...one.recall('b'), format: 'protobuf' });
  expect(one.extend('b', 'b/#')).toBe('');
  expect(['a', 'b/c'].map((topic) => one.recall(topic).files?.length)).toEqual([1, 1]);
  expect(another.recall('b')).toEqual({});
  expect(items.get('mqttwasm.formats')).not.toContain('proto3');
});

it('.proto files that can not be stored are used all the same, with a warning', async () => {
  const { open, state: storage } = browser();
  storage.full = true;
  const choices = createChoices(open());
  expect(await told(choices, [reading])).toMatch(/no room/);
  expect(typesIn(choices)).toEqual(['Reading']);
});

it('invalid .proto files are not stored', async () => {
  const { open, items } = browser();
  const choices = createChoices(open());
  expect(await told(choices, [file('bad.proto', 'mess age')])).toMatch(/bad\.proto/);
  expect(await told(choices, [file('large.proto', ' '.repeat(2 ** 20 + 1))])).toMatch(/larger than 1 MiB/);
  expect(items.size).toBe(0);
});

it('invalid stored files leave the page without definitions', () => {
  const { open, items } = browser();
  items.set('mqttwasm.proto', '[{"name":"a.proto","text":"mess age"},{"name":5},null]');
  const { files } = createChoices(open());
  expect(definedBy(files.entries.value)).toEqual({ types: [], problem: expect.stringMatching(/a\.proto/) });
});
