import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { meaningOfText } from './meaning';

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
