/** Example scripts. */

import { mark } from '../core/i18n/i18n';

export const examples = [
  {
    name: mark('Empty script'),
    code: `function onMessage(message) {
  log(message.topic, message.text());
}`,
  },
  {
    name: mark('Auto-reply'),
    code: `// Answers requests: messages that have a response topic.
function onMessage(message) {
  if (!message.properties.responseTopic) return;
  state.answered = (state.answered ?? 0) + 1;
  reply(message, { ok: true, number: state.answered });
}`,
  },
  {
    name: mark('Threshold alert'),
    code: `// Says once that a value is too high, and again when it has been low meanwhile.
const limit = 80;

function onMessage(message) {
  const value = Number(message.text());
  const high = value > limit;
  if (high && !state[message.topic]) alert(\`\${value} is over \${limit}\`);
  state[message.topic] = high;
}`,
  },
  {
    name: mark('Unit conversion'),
    code: `// Shows degrees Fahrenheit as Celsius, too. A chart can draw either.
function onMessage(message) {
  const fahrenheit = Number(message.text());
  if (Number.isNaN(fahrenheit)) return;
  return { fahrenheit, celsius: Math.round((fahrenheit - 32) / 1.8 * 10) / 10 };
}`,
  },
  {
    name: mark('Binary decoder'),
    code: `// Two bytes of flags, then a 32-bit float and a 16-bit counter, big endian.
function onMessage({ payload }) {
  if (payload.length !== 8) return;
  const view = new DataView(payload.buffer);
  const flags = view.getUint16(0);
  return {
    on: (flags & 1) !== 0,
    error: (flags & 2) !== 0,
    temperature: Math.round(view.getFloat32(2) * 100) / 100,
    counter: view.getUint16(6),
  };
}`,
  },
];
