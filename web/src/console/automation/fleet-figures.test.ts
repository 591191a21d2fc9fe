import { describe, expect, test } from 'vitest';
import { createHistogram, createProblems, createTrack } from './fleet-figures';

describe('percentiles', () => {
  test('are accurate to one or two percent, over six orders of magnitude', () => {
    for (const unit of [0.1, 10, 1000]) {
      const histogram = createHistogram();
      for (let n = 1; n <= 1000; n++) histogram.add(n * (unit / 100));
      for (const share of [0.5, 0.9, 0.99]) {
        const wanted = share * 10 * unit;
        const found = histogram.percentile(share) ?? 0;
        expect(Math.abs(found / wanted - 1)).toBeLessThan(0.02);
      }
    }
  });

  test('of no values are missing, and of one value are that value', () => {
    const histogram = createHistogram();
    expect(histogram.percentile(0.5)).toBeUndefined();
    histogram.add(20);
    expect(histogram.percentile(0.5)).toBeCloseTo(20, 0);
    expect(histogram.percentile(0.99)).toBeCloseTo(20, 0);
    histogram.clear();
    expect(histogram.percentile(0.5)).toBeUndefined();
  });

  test('one slow ack in a hundred shows in p99 and not in p50', () => {
    const histogram = createHistogram();
    for (let n = 0; n < 98; n++) histogram.add(1);
    for (let n = 0; n < 2; n++) histogram.add(5000);
    expect(histogram.percentile(0.5)).toBeCloseTo(1, 1);
    expect(histogram.percentile(0.99)).toBeGreaterThan(4900);
  });

  test('accept zero, negative and huge times', () => {
    const histogram = createHistogram();
    for (const value of [0, -5, 1e12]) histogram.add(value);
    expect(histogram.percentile(0.1)).toBeLessThan(0.011);
    expect(histogram.percentile(1)).toBeGreaterThan(90_000);
  });
});

function trackOf(sent: number) {
  const track = createTrack();
  for (let n = 0; n < sent; n++) track.next();
  return track;
}

describe('loss by sequence numbers', () => {
  test('messages that arrive in order are complete', () => {
    const track = trackOf(3);
    expect([1, 2, 3].map(track.arrive)).toEqual([true, true, true]);
    expect(track.outstanding()).toBe(0);
    track.close();
    expect(track.counts).toEqual({ received: 3, duplicates: 0, late: 0, lost: 0 });
  });

  test('an overtaken message counts as lost until it arrives, then as late', () => {
    const track = trackOf(4);
    track.arrive(1);
    track.arrive(4);
    expect(track.counts).toEqual({ received: 2, duplicates: 0, late: 0, lost: 2 });
    expect(track.arrive(3)).toBe(true);
    expect(track.arrive(2)).toBe(true);
    expect(track.counts).toEqual({ received: 4, duplicates: 0, late: 2, lost: 0 });
  });

  test('one that arrives again is a duplicate, however late', () => {
    const track = trackOf(3);
    track.arrive(1);
    expect(track.arrive(1)).toBe(false);
    track.arrive(3);
    track.arrive(2);
    expect(track.arrive(2)).toBe(false);
    expect(track.arrive(3)).toBe(false);
    expect(track.counts).toEqual({ received: 3, duplicates: 3, late: 1, lost: 0 });
  });

  test('messages missing at the end are lost', () => {
    const track = trackOf(5);
    track.arrive(2);
    expect(track.outstanding()).toBe(3);
    track.close();
    expect(track.counts).toMatchObject({ received: 1, lost: 4 });
    track.close();
    expect(track.counts.lost).toBe(4);
  });

  test('unacknowledged messages are not lost, whether that is known before or after they are missed', () => {
    const track = trackOf(5);
    track.fail(2);
    track.arrive(4);
    expect(track.counts.lost).toBe(2);
    track.fail(3);
    expect(track.counts.lost).toBe(1);
    track.fail(5);
    track.close();
    expect(track.counts).toEqual({ received: 1, duplicates: 0, late: 0, lost: 1 });
  });

  test('missing messages are no longer in flight', () => {
    const track = trackOf(6);
    track.arrive(3);
    expect(track.outstanding()).toBe(3);
    track.fail(5);
    expect(track.outstanding()).toBe(2);
    track.close();
    expect(track.outstanding()).toBe(0);
  });

  test('unacknowledged messages may still arrive', () => {
    const track = trackOf(4);
    track.fail(1);
    expect(track.arrive(1)).toBe(true);
    track.fail(1);
    expect(track.arrive(1)).toBe(false);
    track.fail(2);
    track.arrive(3);
    expect(track.arrive(2)).toBe(true);
    expect(track.counts).toEqual({ received: 3, duplicates: 1, late: 1, lost: 0 });
    expect(track.outstanding()).toBe(1);
  });

  test('messages never sent do not count', () => {
    const track = trackOf(2);
    for (const n of [0, 3, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
      expect(track.arrive(n)).toBe(false);
    expect(track.counts).toEqual({ received: 0, duplicates: 0, late: 0, lost: 0 });
  });
});

test("problems are counted by reason, with the first one's text, and bounded", () => {
  const { note, list } = createProblems();
  note('connect', { code: 'refused', message: 'one', reasonCode: 0x86 });
  note('connect', { code: 'refused', message: 'two', reasonCode: 0x86 });
  note('connect', { code: 'refused', message: 'busy', reasonCode: 0x89 });
  note('publish', { code: 'refused', message: 'no', reasonCode: 0x86 });
  expect(list().map(({ kind, failure, count }) => [kind, failure.message, count])).toEqual([
    ['connect', 'one', 2],
    ['connect', 'busy', 1],
    ['publish', 'no', 1],
  ]);
  for (let n = 0; n < 1000; n++) note('lost', { code: 'network', message: 'x'.repeat(5000), closeCode: n });
  expect(list()).toHaveLength(30);
  expect(list().at(-1)?.failure.message).toHaveLength(600);
  note('lost', undefined);
});
