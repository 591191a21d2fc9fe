import { expect, it } from 'vitest';
import { limits } from '../core/limits';
import { createBirths } from './births';

const at = (topic: string, receivedAt = 0, payload = new Uint8Array()) => ({ topic, receivedAt, payload });
const bytes = (first: number, length = 1) => new Uint8Array(length).fill(first);

function made() {
  const { note, before } = createBirths();
  return { note, first: (topic: string, receivedAt = 100) => before(at(topic, receivedAt))?.[0] };
}

it('a message stands on the BIRTH of its own node, or of its own device', () => {
  const { note, first } = made();
  note(at('spBv1.0/g/NBIRTH/e', 1, bytes(1)));
  note(at('spBv1.0/g/DBIRTH/e/d', 1, bytes(2)));
  note(at('spBv1.0/h/NBIRTH/e', 1, bytes(3)));
  note(at('spBv1.0/g/NDATA/f', 1, bytes(4)));
  note(at('other/g/NBIRTH/f', 1, bytes(5)));
  expect([first('spBv1.0/g/NDATA/e'), first('spBv1.0/g/NCMD/e'), first('spBv1.0/g/NBIRTH/e')]).toEqual([
    1, 1, 1,
  ]);
  expect([first('spBv1.0/g/DDATA/e/d'), first('spBv1.0/g/DCMD/e/d')]).toEqual([2, 2]);
  expect(first('spBv1.0/h/NDATA/e')).toBe(3);
  for (const topic of ['spBv1.0/g/DDATA/e/x', 'spBv1.0/g/NDATA/f', 'spBv1.0/g/NDEATH/e', 'g/NDATA/e']) {
    expect(first(topic), topic).toBeUndefined();
  }
});

it('it is the last one before the message', () => {
  const { note, first } = made();
  for (const time of [10, 20, 30, 40, 50]) note(at('spBv1.0/g/NBIRTH/e', time, bytes(time)));
  const found = [9, 10, 19, 20, 29, 35, 50, 99].map((time) => first('spBv1.0/g/NDATA/e', time));
  // The first of five is one too many.
  expect(found).toEqual([undefined, undefined, undefined, 20, 20, 30, 50, 50]);
});

it('a BIRTH is kept as it came, whatever becomes of the batch that brought it', () => {
  const { note, first } = made();
  const payload = bytes(7);
  note(at('spBv1.0/g/NBIRTH/e', 1, payload));
  payload.fill(0);
  expect(first('spBv1.0/g/NDATA/e')).toBe(7);
});

it('there is room for four megabytes, and the longest silent goes first', () => {
  const { note, first } = made();
  // Less what is counted for the node and for each BIRTH.
  const megabyte = 1024 * 1024 - 700;
  for (const node of [1, 2, 3, 4]) note(at(`spBv1.0/g/NBIRTH/${node}`, 1, bytes(node, megabyte)));
  note(at('spBv1.0/g/NBIRTH/1', 1, bytes(1, 1)));
  expect([1, 2, 3, 4].map((node) => first(`spBv1.0/g/NDATA/${node}`))).toEqual([1, undefined, 3, 4]);
  note(at('spBv1.0/g/NBIRTH/5', 1, bytes(5, 4 * megabyte)));
  expect([1, 2, 3, 4, 5].map((node) => first(`spBv1.0/g/NDATA/${node}`))).toEqual([
    ...Array(4).fill(undefined),
    5,
  ]);
  note(at('spBv1.0/g/NBIRTH/5', 2, bytes(6, 4 * megabyte)));
  note(at('spBv1.0/g/NBIRTH/5', 3, bytes(7, limits.births.bytes + 1)));
  expect(first('spBv1.0/g/NDATA/5')).toBe(6);
});

it('nodes and devices without end are bounded by what they hold, empty payloads and all', () => {
  const births = createBirths();
  const topicOf = (node: number) => `spBv1.0/group/NBIRTH/${String(node).padStart(1000, 'x')}`;
  for (let node = 0; node < 20_000; node++) births.note(at(topicOf(node), 1));
  const kept = Array.from({ length: 20_000 }, (_, node) => births.before(at(topicOf(node), 1))).filter(
    Boolean,
  );
  // Two bytes for each character of the topic alone.
  expect(kept.length * 2 * topicOf(0).length).toBeLessThan(limits.births.bytes);
  expect(kept.length).toBeGreaterThan(100);
  expect(births.bytes).toBeLessThanOrEqual(limits.births.bytes);
});

it('cleared, it holds nothing and begins anew', () => {
  const births = createBirths();
  for (const time of [1, 2, 3, 4, 5, 6]) births.note(at('spBv1.0/g/NBIRTH/e', time, bytes(time)));
  births.clear();
  expect(births.bytes).toBe(0);
  expect(births.before(at('spBv1.0/g/NDATA/e', 9))).toBeUndefined();
  births.note(at('spBv1.0/g/NBIRTH/e', 7, bytes(7)));
  expect(births.before(at('spBv1.0/g/NDATA/e', 9))).toEqual(bytes(7));
});
