/** Explains why a connection failed, and what to do. */

import { isMixedContent } from '../../client/checks/url';
import { type Failure, formatReasonCode } from '../core/failure';
import { mark, t } from '../core/i18n/i18n';
import { visible } from '../core/text';
import { isPrivateHost } from './config';
import { isAwsIot, isEventGrid } from './known';

/** What is known about the environment. Absent parts are not known yet. */
export interface Surroundings {
  /** The broker's address. */
  url: string;
  /** The page's own address. */
  page: string;
  /** There was a connection until then. */
  lost?: boolean;
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

type Reason = readonly [title: string, advice: string];

/** Reason codes of CONNACK (3.2.2.2) and DISCONNECT (3.14.2.1) that have a remedy. */
const reasons: Record<number, Reason> = {
  129: [mark('The broker could not read what was sent'), mark('Check that it speaks MQTT 5.')],
  130: [mark('The broker reported a protocol error'), mark('Check that it speaks MQTT 5.')],
  132: [
    mark('The broker does not speak MQTT 5'),
    mark('This client speaks MQTT 5 only. Enable it in the broker, or use a newer one.'),
  ],
  133: [
    mark('The broker refused the client ID'),
    mark('Change the client ID under Settings, Options, or leave it empty for a random one.'),
  ],
  134: [mark('The broker refused the user name or password'), mark('Check both under Settings, Options.')],
  135: [
    mark('The broker does not allow this client to connect'),
    mark(
      'Check the user name and password under Settings, Options, or ask the broker’s operator for access.',
    ),
  ],
  136: [mark('The broker is unavailable'), mark('Try again later, or choose another broker.')],
  137: [mark('The broker is busy'), mark('Try again in a moment.')],
  138: [
    mark('The broker has banned this client'),
    mark('Ask the broker’s operator, or choose another broker.'),
  ],
  139: [mark('The broker is shutting down'), mark('Try again when it is back.')],
  140: [
    mark('The broker refused the authentication method'),
    mark('Use a user name and password under Settings, Options, if the broker accepts them.'),
  ],
  141: [
    mark('The broker heard nothing for too long'),
    mark('Check the network. A shorter keep alive under Settings, Options keeps idle connections open.'),
  ],
  142: [
    mark('Another client took over with the same client ID'),
    mark('Give each client its own ID under Settings, Options, or leave it empty for a random one.'),
  ],
  147: [mark('Too many messages were in flight for the broker'), mark('Publish more slowly.')],
  149: [mark('A packet was too large'), mark('Send smaller messages, or raise the broker’s limit.')],
  150: [mark('The broker finds the message rate too high'), mark('Publish more slowly.')],
  151: [mark('A quota of the broker is used up'), mark('Try again later, or ask the operator.')],
  152: [mark('The operator ended the connection'), mark('Ask the broker’s operator why.')],
  155: [
    mark('The broker does not have that QoS'),
    mark('Use QoS 1 or 0: the highest it takes is under Settings, Session.'),
  ],
  156: [mark('The broker asks this client to use another server'), mark('Connect to the address it names.')],
  157: [mark('The broker has moved'), mark('Connect to the address it names.')],
  159: [mark('Too many connections in a short time'), mark('Wait a minute, then try again.')],
  160: [
    mark('The connection reached the broker’s time limit'),
    mark('If a token was used, it has expired: connect again with a new one.'),
  ],
};

/** Status codes of the WebSocket's end (RFC 6455, 7.4.1, and IANA's list) that have a remedy. */
const endings: Record<number, Reason> = {
  1013: [mark('The server has too many connections'), mark('Try again in a moment.')],
  1014: [
    mark('A server on the way to the broker could not reach it'),
    mark('Check that the broker is running. The log of that server says more.'),
  ],
};

/** AWS IoT closes the connection without a reason. */
function aws(lost: boolean): Reason {
  if (!lost) {
    return [
      t('AWS IoT did not accept this client, and gave no reason'),
      t(
        'Check the signature or token, the region, this computer’s clock, the path /mqtt, and that the policy allows iot:Connect for this client ID.',
      ),
    ];
  }
  return [
    t('AWS IoT closed the connection without a reason'),
    t(
      'Possible causes: something the policy does not allow (the page’s own topic, perhaps: see Settings, Options), a $SYS topic, more than 8 topic filters at once, QoS 2, more than 128 KB, a second client with the same ID, or a connection that lasted a day. CloudWatch Logs tells which.',
    ),
  ];
}

/** The WebSocket was open, and the server ended it. */
const wasOpen = ({ closeCode, message }: Failure): boolean =>
  closeCode === 1000 || closeCode === 1005 || message.includes('before CONNACK');

function hungUp(failure: Failure, url: URL, seen: Surroundings): Reason | undefined {
  if (seen.lost && (wasOpen(failure) || seen.reach === 'answers')) {
    return [
      t('The broker closed the connection without a reason'),
      t(
        'It may not allow a topic that was subscribed to or published to, or another client has the same client ID. The broker’s log says more.',
      ),
    ];
  }
  if (!wasOpen(failure)) return undefined;
  return [
    t('{host} closed the connection right after CONNECT', { host: url.host }),
    t('It may speak MQTT 3.1.1 only, where this page speaks MQTT 5, or may not allow this client.'),
  ];
}

function answerOf(failure: Failure): string | undefined {
  if (failure.reasonCode === undefined) return undefined;
  const code = formatReasonCode(failure.reasonCode);
  if (!failure.reasonString) return t('Broker’s reason {code}', { code });
  return t('Broker’s reason {code}: “{words}”', { code, words: visible(failure.reasonString) });
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
  '8080': mark('8081 (Mosquitto’s public broker)'),
  '8083': '8084 (EMQX)',
  '9001': mark('9002 or 443 (ask its operator)'),
};

function mixedContent(url: URL): Reason {
  const port = securePorts[portOf(url)];
  return [
    t('This page came over https, so the browser does not let it open a ws: address'),
    port
      ? t('Use the broker’s wss: address; its port is usually {port}. Or open this page over http.', {
          port: t(port),
        })
      : t('Use the broker’s wss: address. Or open this page over http.'),
  ];
}

function localNetwork(url: URL, page: URL, state: PermissionState | undefined): Reason | undefined {
  if (!isPrivateHost(url.hostname) || isPrivateHost(page.hostname)) return undefined;
  if (state === 'denied') {
    return [
      t('The browser blocks this page from reaching {host}', { host: url.host }),
      t(
        'That address is on your own computer or network. Allow “Local network access” for this site (the icon left of the address bar, Site settings), then connect again.',
      ),
    ];
  }
  if (state === 'prompt') {
    return [
      t('The browser has not allowed this page to reach {host}', { host: url.host }),
      t(
        'That address is on your own computer or network. Connect again and allow access when the browser asks; a page that did not come over https can’t ask at all.',
      ),
    ];
  }
  return undefined;
}

function tcpPort(url: URL): string | undefined {
  const port = portOf(url);
  if (port !== '1883' && port !== '8883') return undefined;
  return t(
    'Port {port} is usually MQTT over TCP, which no browser can open. Use the broker’s WebSocket port: often 8083 (EMQX), 9001 (Mosquitto) or 8000 (HiveMQ).',
    { port },
  );
}

function unreachable(url: URL): Reason {
  const check = t(
    'Check the host name and the port (the one for WebSocket, not for TCP), that the broker is running, and that no firewall is in between.',
  );
  const advice =
    url.protocol === 'wss:' ? `${check} ${t('Or its certificate is not one this browser trusts.')}` : check;
  return [t('Nothing answers at {host}', { host: url.host }), tcpPort(url) ?? advice];
}

function wrongPath(url: URL): Reason {
  const path =
    url.pathname === '/'
      ? t('The address has no path; most brokers want /mqtt.')
      : t('Most brokers use /mqtt.');
  return [
    t('{host} answers, but not as MQTT over WebSocket at {path}', {
      host: url.host,
      path: url.pathname,
    }),
    tcpPort(url) ?? `${t('Check the path and the port.')} ${path}`,
  ];
}

function network(failure: Failure, url: URL | undefined, page: URL | undefined, seen: Surroundings): Reason {
  const blocked = url && page && localNetwork(url, page, seen.localNetwork);
  if (blocked) return blocked;
  if (isAwsIot(seen.url) && (wasOpen(failure) || seen.reach === 'answers')) return aws(seen.lost ?? false);
  const ended = url && hungUp(failure, url, seen);
  if (ended) return ended;
  if (url && seen.reach === 'answers') return wrongPath(url);
  if (url && seen.reach === 'silent') return unreachable(url);
  return [
    url ? t('No connection to {host}', { host: url.host }) : t('No connection'),
    (url && tcpPort(url)) ?? t('Check the address and the network.'),
  ];
}

function timedOut(url: URL | undefined, page: URL | undefined, seen: Surroundings): Reason {
  const blocked = url && page && localNetwork(url, page, seen.localNetwork);
  if (blocked) return blocked;
  return [
    t('{host} did not answer in time', { host: url ? url.host : t('The broker') }),
    (url && tcpPort(url)) ??
      (seen.reach === 'answers'
        ? t('The host is there, but no MQTT broker answers at this address. Check the port and the path.')
        : t('Check the host name and the port. A firewall may be blocking the connection.')),
  ];
}

function main(failure: Failure, seen: Surroundings): Reason {
  const url = parse(seen.url);
  const page = parse(seen.page);
  if (failure.reasonCode !== undefined && [134, 135].includes(failure.reasonCode) && isEventGrid(seen.url)) {
    return [
      t('Event Grid did not accept the token'),
      t(
        'Check that it has not expired, that its aud is https://eventgrid.azure.net/, and that its role allows topic spaces of this namespace.',
      ),
    ];
  }
  const isOld = failure.code === 'protocol' && failure.message.includes('MQTT 3.1.1 only');
  const reason = reasons[isOld ? 132 : (failure.reasonCode ?? -1)] ?? endings[failure.closeCode ?? -1];
  if (reason) return [t(reason[0]), t(reason[1])];

  if (url && ['bad-option', 'network', 'timeout'].includes(failure.code) && isMixedContent(url, page)) {
    return mixedContent(url);
  }

  switch (failure.code) {
    case 'bad-option':
      return [t('The connection’s settings are not right'), failure.message];
    case 'refused':
      return [
        t('The broker refused the connection'),
        t('Check the settings under Settings, Options, or choose another broker.'),
      ];
    case 'disconnected':
      return [t('The broker ended the connection'), t('Connect again, or choose another broker.')];
    case 'protocol':
      return [
        t('What answers at {address} is not an MQTT 5 broker', {
          address: url ? url.host : t('this address'),
        }),
        t('Check the port and the path, and that the broker speaks MQTT 5.'),
      ];
    case 'packet-too-large':
      return [t('A packet was too large'), t('Send smaller messages, or raise the limit.')];
    case 'crashed':
      if (failure.unloaded) {
        return [
          t('The client’s program could not be loaded'),
          t('Check that the server of this page can be reached, and try again.'),
        ];
      }
      return [t('The client’s program ended'), t('Connect again; reload the page if that fails.')];
    case 'aborted':
      if (['transformWsUrl', 'credentials', 'authenticate'].includes(failure.field ?? '')) {
        return [
          t('There is no token or signature to connect with'),
          t('Check the authentication under Settings, Options, and connect again.'),
        ];
      }
      return [t('Connecting was cancelled'), t('Press Connect to try again.')];
    case 'timeout':
      return timedOut(url, page, seen);
    default:
      return network(failure, url, page, seen);
  }
}

export function explain(failure: Failure, seen: Surroundings): Explanation {
  const [title, advice] = main(failure, seen);
  const detail = answerOf(failure) ?? (failure.message === advice ? undefined : visible(failure.message));
  return detail === undefined ? { title, advice } : { title, advice, detail };
}
