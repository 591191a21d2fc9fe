import { connectFields, hostOf, messageFields, type Plan, pairs, wellFormed } from './plan';

const plain = /^[A-Za-z0-9_@%+=:,./-]+$/;
const unseen = /[\p{Cc}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/gu;

const octal = (char: string): string =>
  Array.from(new TextEncoder().encode(char), (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');

/** One word of a shell command. With invisible characters, as $'…' of bash and zsh. */
export function word(given: string): string {
  const text = wellFormed(given);
  if (plain.test(text)) return text;
  if (text.search(unseen) < 0) return `'${text.replaceAll("'", "'\\''")}'`;
  return `$'${text.replace(/[\\']/g, '\\$&').replace(unseen, octal)}'`;
}

function properties(packet: string, given: object | undefined, names: readonly string[]): string[][] {
  const all: Record<string, unknown> = { ...given };
  const single = names.flatMap((name) => {
    const value = all[name];
    const theirs = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return value === undefined
      ? []
      : [['-D', packet, theirs, word(typeof value === 'string' ? value : String(Number(value)))]];
  });
  return [
    ...single,
    ...pairs(all).map(([name, value]) => ['-D', packet, 'user-property', word(name), word(value)]),
  ];
}

function connection(plan: Plan): string[][] {
  const { url, connect, username, password } = plan;
  const secure = new URL(url).protocol === 'wss:';
  const parts = [
    ['-h', word(hostOf(plan))],
    ['-p', secure ? '8883' : '1883'],
    ['-V', 'mqttv5'],
  ];
  if (secure) parts.push(['--tls-use-os-certs']);
  if (connect.clientId) parts.push(['-i', word(connect.clientId)]);
  if (connect.clean === false) parts.push(['-c']);
  if (Number(connect.keepalive) > 0) parts.push(['-k', String(connect.keepalive)]);
  if (username) parts.push(['-u', word(username)]);
  if (password) parts.push(['-P', word(password)]);
  // There is no option for authentication data.
  const fields = connectFields.filter((name) => name !== 'authenticationData');
  parts.push(...properties('CONNECT', connect.properties, fields));
  const { will } = connect;
  if (will) {
    parts.push(['--will-topic', word(will.topic)], ['--will-payload', word(String(will.payload ?? ''))]);
    parts.push(['--will-qos', String(will.qos ?? 0)], ...(will.retain ? [['--will-retain']] : []));
    parts.push(...properties('WILL', will.properties, messageFields));
  }
  return parts;
}

const command = (name: string, parts: string[][]): string =>
  `${[name, ...parts.map((part) => part.join(' '))].join(' \\\n  ')}\n`;

/** The two commands; they speak MQTT over TCP. */
export function mosquitto(plan: Plan): string {
  const { body } = plan;
  let before = '';
  let payload: string[];
  if ('file' in body) payload = ['-f', word(body.file)];
  else if ('base64' in body) {
    before = `printf %s ${word(body.base64)} | base64 -d | `;
    payload = ['-s'];
  } else if (body.text.includes('\0')) {
    // No argument can hold it.
    before = `printf %b ${word(body.text.replaceAll('\\', '\\\\').replaceAll('\0', '\\0000'))} | `;
    payload = ['-s'];
  } else if (body.text === '') payload = ['-n'];
  else payload = ['-m', word(body.text)];

  const { subscriptions } = plan;
  const [id] = subscriptions.map(({ identifier }) => identifier);
  // One of each for the whole command.
  const together = id !== undefined && subscriptions.every(({ identifier }) => identifier === id);
  const lost = [
    ...(subscriptions.some(({ nl }) => nl) ? ['No Local'] : []),
    ...(subscriptions.some(({ rh }) => rh) ? ['Retain Handling'] : []),
    ...(!together && subscriptions.some(({ identifier }) => identifier) ? ['Subscription Identifiers'] : []),
  ];
  const subscribe = command('mosquitto_sub', [
    ...connection(plan),
    ...(subscriptions.some(({ rap }) => rap) ? [['--retain-as-published']] : []),
    ...(together ? [['-D', 'SUBSCRIBE', 'subscription-identifier', String(id)]] : []),
    ...subscriptions.map(({ filter, qos }) => ['-q', String(qos), '-t', word(filter)]),
  ]);
  const publish = command('mosquitto_pub', [
    ...connection(plan),
    ['-q', String(plan.qos)],
    ...(plan.retain ? [['-r']] : []),
    ...properties('PUBLISH', plan.properties, messageFields),
    ['-t', word(plan.topic)],
    payload,
  ]);
  const without = lost.length > 0 ? `# mosquitto_sub has no ${lost.join(', ')} for each filter.\n` : '';
  const note = `# MQTT over TCP: the port may differ from the usual one.\n${without}`;
  return `${note}${subscriptions.length > 0 ? `${subscribe}\n` : ''}${before}${publish}`;
}
