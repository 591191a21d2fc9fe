import { expect, test } from 'vitest';
import { claim, drop, fetch, frameOf, keep, keptPayloads, read } from './kept-payloads';

const bytes = (...values: number[]): ArrayBuffer => new Uint8Array(values).buffer;

test('a payload that fills most of its frame is transferred with the frame', () => {
  const frame = frameOf(bytes(1, 2, 3, 4));
  const { buffer } = frame;
  const handle = keep(frame, 1, 4);
  read(frame);
  expect([...fetch(handle)]).toEqual([2, 3, 4]);
  const [payload] = claim([handle]);
  expect(payload?.buffer).toBe(buffer);
  expect([...(payload ?? [])]).toEqual([2, 3, 4]);
  expect(keptPayloads()).toBe(0);
});

test('payloads of one frame share its buffer if claimed together, and are copied otherwise', () => {
  const frame = frameOf(bytes(1, 2, 3, 4, 5, 6));
  const { buffer } = frame;
  const [first, second, third] = [keep(frame, 0, 2), keep(frame, 2, 4), keep(frame, 4, 6)];
  const [early] = claim([first]); // Go has not read the rest
  expect(early?.buffer).not.toBe(buffer);
  expect([...(early ?? [])]).toEqual([1, 2]);
  read(frame);
  const late = claim([second, third]);
  expect(late.map((payload) => payload.buffer)).toEqual([buffer, buffer]);
  expect(late.map((payload) => [...payload])).toEqual([
    [3, 4],
    [5, 6],
  ]);
  expect(keptPayloads()).toBe(0);
});

test('a small payload does not retain a large frame', () => {
  const frame = frameOf(bytes(...Array.from({ length: 100 }, (_, n) => n)));
  const { buffer } = frame;
  const small = keep(frame, 10, 13);
  read(frame);
  expect([...fetch(small)]).toEqual([10, 11, 12]);
  const [payload] = claim([small]);
  expect(payload?.buffer).not.toBe(buffer);
  expect(payload?.buffer.byteLength).toBe(3);
});

test('payloads left after others were dropped do not retain the frame', () => {
  const frame = frameOf(bytes(1, 2, 3, 4, 5, 6, 7, 8));
  const handles = [keep(frame, 0, 3), keep(frame, 3, 6), keep(frame, 6, 8)];
  read(frame);
  drop(handles[0] as number);
  drop(handles[1] as number);
  const [payload] = claim([handles[2] as number]);
  expect(payload?.buffer.byteLength).toBe(2);
  expect([...(payload ?? [])]).toEqual([7, 8]);
  expect(keptPayloads()).toBe(0);
});
