/** Why a connection failed, in words a person can act on. */

import type { MqttErrorCode } from '../../client';
import { isPrivateHost } from '../config';
import { visible } from '../text';

/** The parts of an `MqttError` that an explanation stands on. */
export interface Failure {
  code: MqttErrorCode;
  message: string;
  field?: string;
  reasonCode?: number;
  reasonString?: string;
  closeCode?: number;
}

/** What is known about the surroundings. Absent parts are unknown yet. */
export interface Surroundings {
  /** The broker's address. */
  url: string;
  /** The page's own address. */
  page: string;
  /** Whether an HTTP request to the same host and port was answered. */
  reach?: 'answers' | 'silent';
  /** The browser's permission to reach private addresses. */
  localNetwork?: PermissionState;
}

export interface Explanation {
  title: string;
  /** What to do about it. */
  advice: string;
  /** The broker's or the client's own words. */
  detail?: string;
}

interface Reason {
  title: string;
  advice: string;
}

/** Reason codes of CONNACK (3.2.2.2) and DISCONNECT (3.14.2.1) that have a remedy. */
const reasons: Record<number, Reason> = {
  129: { title: 'The broker could not read what was sent', advice: 'Check that it speaks MQTT 5.' },
  130: { title: 'The broker saw a breach of the protocol', advice: 'Check that it speaks MQTT 5.' },
  132: {
    title: 'The broker does not speak MQTT 5',
    advice: 'This client speaks MQTT 5 only. Enable it in the broker, or use a newer one.',
  },
  133: {
    title: 'The broker refused the client ID',
    advice: 'Change the client ID under Options, or leave it empty for a random one.',
  },
  134: {
    title: 'The broker refused the user name or password',
    advice: 'Check both under Options.',
  },
  135: {
    title: 'The broker does not allow this client to connect',
    advice: 'Check the user name and password under Options, or ask the broker’s operator for access.',
  },
  136: { title: 'The broker is unavailable', advice: 'Try again later, or choose another broker.' },
  137: { title: 'The broker is busy', advice: 'Try again in a moment.' },
  138: {
    title: 'The broker has banned this client',
    advice: 'Ask the broker’s operator, or choose another broker.',
  },
  139: { title: 'The broker is shutting down', advice: 'Try again when it is back.' },
  140: {
    title: 'The broker refused the authentication method',
    advice: 'Use a user name and password under Options, if the broker accepts them.',
  },
  141: {
    title: 'The broker heard nothing for too long',
    advice: 'Check the network. A shorter keep alive under Options keeps idle links open.',
  },
  142: {
    title: 'Another client took over with the same client ID',
    advice: 'Give each client its own ID under Options, or leave it empty for a random one.',
  },
  147: { title: 'Too many messages were in flight for the broker', advice: 'Publish more slowly.' },
  149: { title: 'A packet was too large', advice: 'Send smaller messages, or raise the broker’s limit.' },
  150: { title: 'The broker finds the message rate too high', advice: 'Publish more slowly.' },
  151: { title: 'A quota of the broker is used up', advice: 'Try again later, or ask the operator.' },
  152: { title: 'The operator ended the connection', advice: 'Ask the broker’s operator why.' },
  156: { title: 'The broker asks to use another server', advice: 'Connect to the address it names.' },
  157: { title: 'The broker has moved', advice: 'Connect to the address it names.' },
  159: { title: 'Too many connections in a short time', advice: 'Wait a minute, then try again.' },
};

export function formatReasonCode(code: number): string {
  return `0x${code.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** The client's words for one line, with the broker's reason code if they lack it. */
export function inOneLine(failure: Failure): string {
  const message = visible(failure.message);
  if (failure.reasonCode === undefined) return message;
  const code = formatReasonCode(failure.reasonCode);
  return message.includes(code) ? message : `${message} [${code}]`;
}

/** The same beside the field it is about, whose name it need not repeat. */
export function atField(failure: Failure): string {
  const words = inOneLine(failure).replace(`${failure.field}: `, '');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function answerOf(failure: Failure): string | undefined {
  if (failure.reasonCode === undefined) return undefined;
  const said = failure.reasonString ? `: “${visible(failure.reasonString)}”` : '';
  return `Broker’s reason ${formatReasonCode(failure.reasonCode)}${said}`;
}

function parse(url: string): URL | undefined {
  return URL.canParse(url) ? new URL(url) : undefined;
}

function portOf(url: URL): string {
  return url.port || (url.protocol === 'wss:' ? '443' : '80');
}

/** The port where the same broker usually offers `wss:`, by its `ws:` port. */
const securePorts: Record<string, string> = {
  '80': '443',
  '8000': '8884 (HiveMQ)',
  '8080': '8081 (Mosquitto’s public broker)',
  '8083': '8084 (EMQX)',
  '9001': '9002 or 443 (ask its operator)',
};

/** A browser lets an https page open ws: to this very machine and nowhere else. */
export function isMixedContent(address: string, page: string): boolean {
  const url = parse(address);
  return url?.protocol === 'ws:' && parse(page)?.protocol === 'https:' && !isLoopback(url.hostname);
}

function mixedContent(url: URL): Explanation {
  const port = securePorts[portOf(url)];
  return {
    title: 'This page came over https, so the browser does not let it open a ws: address',
    advice: `Use the broker’s wss: address${port ? `; its port is usually ${port}` : ''}. Or open this page over http.`,
  };
}

function localNetwork(url: URL, page: URL, state: PermissionState | undefined): Explanation | undefined {
  if (!isPrivateHost(url.hostname) || isPrivateHost(page.hostname)) return undefined;
  if (state === 'denied') {
    return {
      title: `The browser blocks this page from reaching ${url.host}`,
      advice:
        'That address is on your own computer or network. Allow “Local network access” for this site ' +
        '(the icon left of the address bar, Site settings), then connect again.',
    };
  }
  if (state === 'prompt') {
    return {
      title: `The browser has not allowed this page to reach ${url.host}`,
      advice:
        'That address is on your own computer or network. Connect again and allow access when the browser asks; ' +
        'a page that did not come over https can’t ask at all.',
    };
  }
  return undefined;
}

function tcpPort(url: URL): string | undefined {
  const port = portOf(url);
  if (port !== '1883' && port !== '8883') return undefined;
  return (
    `Port ${port} is usually MQTT over TCP, which no browser can open. Use the broker’s WebSocket port: ` +
    'often 8083 (EMQX), 9001 (Mosquitto) or 8000 (HiveMQ).'
  );
}

function unreachable(url: URL): Explanation {
  const certificate = url.protocol === 'wss:' ? ' Or its certificate is not one this browser trusts.' : '';
  return {
    title: `Nothing answers at ${url.host}`,
    advice:
      tcpPort(url) ??
      `Check the host name and the port (the one for WebSocket, not for TCP), that the broker is running, and that no firewall is in between.${certificate}`,
  };
}

function wrongPath(url: URL): Explanation {
  const path = url.pathname === '/' ? 'The address has no path; most brokers want /mqtt.' : '';
  return {
    title: `${url.host} answers, but not as MQTT over WebSocket at ${url.pathname}`,
    advice: tcpPort(url) ?? `Check the path and the port. ${path || 'Most brokers use /mqtt.'}`,
  };
}

function network(url: URL | undefined, page: URL | undefined, seen: Surroundings): Explanation {
  const blocked = url && page && localNetwork(url, page, seen.localNetwork);
  if (blocked) return blocked;
  if (url && seen.reach === 'answers') return wrongPath(url);
  if (url && seen.reach === 'silent') return unreachable(url);
  return {
    title: url ? `No connection to ${url.host}` : 'No connection',
    advice: (url && tcpPort(url)) ?? 'Check the address and the network.',
  };
}

function timedOut(url: URL | undefined, page: URL | undefined, seen: Surroundings): Explanation {
  const blocked = url && page && localNetwork(url, page, seen.localNetwork);
  if (blocked) return blocked;
  return {
    title: `${url ? url.host : 'The broker'} did not answer in time`,
    advice:
      (url && tcpPort(url)) ??
      (seen.reach === 'answers'
        ? 'The host is there, but no MQTT broker answers at this address. Check the port and the path.'
        : 'Check the host name and the port. A firewall may swallow the connection.'),
  };
}

function main(failure: Failure, seen: Surroundings): Explanation {
  const url = parse(seen.url);
  const page = parse(seen.page);
  const reason = failure.reasonCode === undefined ? undefined : reasons[failure.reasonCode];
  if (reason) return reason;

  if (
    url &&
    ['bad-option', 'network', 'timeout'].includes(failure.code) &&
    isMixedContent(seen.url, seen.page)
  ) {
    return mixedContent(url);
  }

  switch (failure.code) {
    case 'bad-option':
      return { title: 'The connection’s settings are not right', advice: failure.message };
    case 'refused':
      return {
        title: 'The broker refused the connection',
        advice: 'Check the settings under Options, or choose another broker.',
      };
    case 'disconnected':
      return { title: 'The broker ended the connection', advice: 'Connect again, or choose another broker.' };
    case 'protocol':
      return {
        title: `What answers at ${url ? url.host : 'this address'} is not an MQTT 5 broker`,
        advice: 'Check the port and the path, and that the broker speaks MQTT 5.',
      };
    case 'packet-too-large':
      return { title: 'A packet was too large', advice: 'Send smaller messages, or raise the limit.' };
    case 'crashed':
      return { title: 'The client’s program ended', advice: 'Connect again; reload the page if that fails.' };
    case 'aborted':
      return { title: 'Connecting was given up', advice: 'Press Connect to try again.' };
    case 'timeout':
      return timedOut(url, page, seen);
    default:
      return network(url, page, seen);
  }
}

function isLoopback(hostname: string): boolean {
  return /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

export function explain(failure: Failure, seen: Surroundings): Explanation {
  const { title, advice } = main(failure, seen);
  const detail = answerOf(failure) ?? (failure.message === advice ? undefined : visible(failure.message));
  return detail === undefined ? { title, advice } : { title, advice, detail };
}
