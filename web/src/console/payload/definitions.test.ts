import { expect, it } from 'vitest';
import { browser } from '../core/testing';
import { schemas } from './choices';
import { createDefinitions } from './definitions';

const file = (name: string, text: string) => new File([text], name);
const reading = file('reading.proto', 'syntax = "proto3"; message Reading { int32 x = 1; }');
const state = file('state.proto', 'syntax = "proto3"; message State { bool on = 1; }');
const using = file('using.proto', 'import "state.proto"; message Using { optional State state = 1; }');

it('.proto files are there at the next visit', async () => {
  const { open } = browser();
  await createDefinitions(open()).load([state, using]);
  const { names, schema, problem } = createDefinitions(open());
  expect(names.value).toEqual(['state.proto', 'using.proto']);
  expect(schema.value?.types).toEqual(['State', 'Using']);
  expect(problem.value).toBe('');
});

it('.proto files that one tab loads the others have too', async () => {
  const { open } = browser();
  const [one, other] = [createDefinitions(open()), createDefinitions(open())];
  await one.load([reading]);
  expect(other.schema.value?.types).toEqual(['Reading']);
  const before = schemas.value;
  await other.load([state, using]);
  expect(one.names.value).toEqual(['state.proto', 'using.proto']);
  expect(one.schema.value?.types).toEqual(['State', 'Using']);
  expect(schemas.value).toBeGreaterThan(before);
});

it('.proto files that can not be kept are loaded all the same, and it says so', async () => {
  const { open, state: storage } = browser();
  storage.full = true;
  const { load, schema, problem } = createDefinitions(open());
  await load([reading]);
  expect(schema.value?.types).toEqual(['Reading']);
  expect(problem.value).toMatch(/no room/);
});

it('.proto files that are not read are not kept', async () => {
  const { open, items } = browser();
  const { load, problem } = createDefinitions(open());
  await load([file('bad.proto', 'mess age')]);
  expect(problem.value).toMatch(/bad\.proto/);
  await load([file('large.proto', ' '.repeat(2 ** 20 + 1))]);
  expect(problem.value).toMatch(/larger than 1 MiB/);
  expect(items.size).toBe(0);
});

it('stored files that make no sense leave the page without definitions', () => {
  const { open, items } = browser();
  items.set('mqttwasm.proto', '[{"name":"a.proto","text":"mess age"},{"name":5},null]');
  const { schema, problem } = createDefinitions(open());
  expect(schema.value).toBeUndefined();
  expect(problem.value).toMatch(/a\.proto/);
});
