import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { meaningOfText } from './meaning';
import { read } from './read';

beforeAll(() => void vi.setSystemTime('2026-11-30T12:00:00Z'));
afterAll(() => void vi.useRealTimers());

it.each([
  ['1796040000', 'sensor/last_seen', '2026-11-30T12:00:00Z'],
  ['1796040000', '$SYS/broker/time', '2026-11-30T12:00:00Z'],
  ['1796040000', 'sensor/total', undefined],
  ['now', 'sensor/time', undefined],
  ['eyJ0cyI6MX0=', 'truck/telemetry', 'Base64: {"ts":1}'],
  ['AMo3DOU=\n', 'lora/up', 'Base64: 00 ca 37 0c e5'],
  ['running', 'plant/status', undefined],
  ['Sensor01', 'plant/status', undefined],
  [
    btoa('a long text, without padding...').slice(0, 40),
    'plant/log',
    'Base64: a long text, without padding..',
  ],
  ['', 'plant/status', undefined],
  ['AAAA'.repeat(2000), 'plant/log', undefined],
])('%j on %s stands for %s', (text, topic, expected) => {
  expect(meaningOfText(text, topic)).toBe(expected);
});

/** What is noted beside the values of JSON, by their keys. */
async function notesOf(value: Record<string, unknown>) {
  const shown = await read(
    { topic: 't', payload: new TextEncoder().encode(JSON.stringify(value)), properties: {} },
    {},
    0,
  );
  const lines = shown.kind === 'lines' ? shown.lines : [];
  return Object.fromEntries(
    lines.filter(({ note }) => note).map(({ key = '', note }) => [JSON.parse(key), note]),
  );
}

it('tells when it was, where a key says that a number is a time', async () => {
  const notes = await notesOf({
    tst: 1796040000,
    created_at: 1796040000.5,
    minute_ts: 1796040000,
    lastSeen: 1796040000123,
    timestamp_ms: 1796040000123,
    time: '1796040000123456789',
    frame_time: 1796040000,
    uptime: 274320,
    total: 1796040000,
    counts: 1796040000,
    timestamp: 2463457000,
    date: '2026-11-30',
  });
  const second = '2026-11-30T12:00:00Z';
  const milliseconds = '2026-11-30T12:00:00.123Z';
  expect(notes).toEqual({
    tst: second,
    created_at: '2026-11-30T12:00:00.500Z',
    minute_ts: second,
    lastSeen: milliseconds,
    timestamp_ms: milliseconds,
    time: milliseconds,
    frame_time: second,
  });
});

it('tells the bytes that Base64 stands for', async () => {
  const notes = await notesOf({
    data: 'AMo3DOU=',
    frm_payload: 'ywE=',
    payload: 'P4AAAEAAAAA',
    Value: 'Qa2ZmkAAAABAQAAA',
    body: 'eyJzcGVlZCI6NDJ9',
    raw: 'FFFFA1B2FFFFFFFF',
    value: 'AUTO',
    content: 'text',
    name: 'Sensor01',
    image: `${'/9j/'.repeat(1000)}AA==`,
  });
  expect(notes).toEqual({
    data: 'Base64: 00 ca 37 0c e5',
    frm_payload: 'Base64: cb 01',
    Value: 'Base64: 41 ad 99 9a 40 00 00 00 40 40 00 00',
    body: 'Base64: {"speed":42}',
    image: `Base64: ${'ff d8 ff '.repeat(16).trim()}…`,
  });
});
