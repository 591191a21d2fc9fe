import { expect, it } from 'vitest';
import { limits } from '../core/limits';
import { createBirths } from './births';

const at = (topic: string, receivedAt = 0, payload = new Uint8Array()) => ({ topic, receivedAt, payload });
const bytes = (first: number, length = 1) => new Uint8Array(length).fill(first);

function made() {
  const { note, before } = createBirths();
  return { note, first: (topic: string, receivedAt = 100) => before(at(topic, receivedAt))?.[0] };
}

it('a message uses the BIRTH of its own node or device', () => {
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

it('it uses the last BIRTH before the message', () => {
  const { note, first } = made();
  for (const time of [10, 20, 30, 40, 50]) note(at('spBv1.0/g/NBIRTH/e', time, bytes(time)));
  const found = [9, 10, 19, 20, 29, 35, 50, 99].map((time) => first('spBv1.0/g/NDATA/e', time));
  // Only the last four of five are kept.
  expect(found).toEqual([undefined, undefined, undefined, 20, 20, 30, 50, 50]);
});

it('a BIRTH is copied, so that its batch can be released', () => {
  const { note, first } = made();
  const payload = bytes(7);
  note(at('spBv1.0/g/NBIRTH/e', 1, payload));
  payload.fill(0);
  expect(first('spBv1.0/g/NDATA/e')).toBe(7);
});

it('BIRTHs take at most four megabytes, and those unused longest are dropped first', () => {
  const { note, first } = made();
  // Less the overhead counted for the node and for each BIRTH.
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

it('any number of nodes and devices is bounded, even with empty payloads', () => {
  const births = createBirths();
  const topicOf = (node: number) => `spBv1.0/group/NBIRTH/${String(node).padStart(1000, 'x')}`;
  for (let node = 0; node < 20_000; node++) births.note(at(topicOf(node), 1));
  const kept = Array.from({ length: 20_000 }, (_, node) => births.before(at(topicOf(node), 1))).filter(
    Boolean,
  );
  // The topics alone take two bytes per character.
  expect(kept.length * 2 * topicOf(0).length).toBeLessThan(limits.births.bytes);
  expect(kept.length).toBeGreaterThan(100);
  expect(births.bytes).toBeLessThanOrEqual(limits.births.bytes);
});

it('can be cleared, and used again', () => {
  const births = createBirths();
  for (const time of [1, 2, 3, 4, 5, 6]) births.note(at('spBv1.0/g/NBIRTH/e', time, bytes(time)));
  births.clear();
  expect(births.bytes).toBe(0);
  expect(births.before(at('spBv1.0/g/NDATA/e', 9))).toBeUndefined();
  births.note(at('spBv1.0/g/NBIRTH/e', 7, bytes(7)));
  expect(births.before(at('spBv1.0/g/NDATA/e', 9))).toEqual(bytes(7));
});
