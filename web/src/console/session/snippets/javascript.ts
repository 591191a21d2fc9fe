import type { ConnectOptions } from '../../../client';
import { optionsOf } from '../wanted';
import { literal, type Plan } from './plan';

/** A value as source text; only what the forms hold. */
function source(value: unknown, indent: string): string {
  if (typeof value === 'string') return literal(value);
  if (value instanceof Uint8Array)
    return `new TextEncoder().encode(${literal(new TextDecoder().decode(value))})`;
  const deeper = `${indent}  `;
  if (Array.isArray(value)) {
    return `[${value.map((one: unknown) => source(one, deeper)).join(', ')}]`;
  }
  if (typeof value !== 'object' || value === null) return String(value);
  const fields = Object.entries(value).filter(([, one]) => !isEmpty(one));
  if (fields.length === 0) return '{}';
  return `{\n${fields.map(([name, one]) => `${deeper}${name}: ${source(one, deeper)},\n`).join('')}${indent}}`;
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

export function javascript(plan: Plan): string {
  const { url: _, keepalive, ...rest } = plan.connect;
  const options: ConnectOptions = {
    ...rest,
    ...(Number.isFinite(keepalive) && { keepalive: Number(keepalive) }),
  };
  const { body, topic, qos, retain, properties } = plan;
  const payload =
    'text' in body
      ? literal(body.text)
      : 'file' in body
        ? `await (await fetch(${literal(body.file)})).arrayBuffer()`
        : `Uint8Array.from(atob(${literal(body.base64)}), (char) => char.charCodeAt(0))`;
  const subscribe = plan.subscriptions
    .map(
      (wanted) =>
        `await client.subscribe(${literal(wanted.filter)}, ${source(optionsOf(wanted), '')}, (message) => console.log(message.topic, message.text()));\n`,
    )
    .join('');
  return `import { connect } from 'mqttwasm';

const client = await connect(${literal(plan.url)}, ${source(options, '')});
${subscribe}await client.publish(${literal(topic)}, ${payload}, ${source({ qos, retain, properties }, '')});
`;
}
