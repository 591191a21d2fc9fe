import { describe, expect, it } from 'vitest';
import type { Failure } from '../core/failure';
import { explain, type Surroundings } from './explain';

const seen: Surroundings = { url: 'ws://broker.example:8083/mqtt', page: 'http://console.example/' };
const network: Failure = { code: 'network', message: 'WebSocket closed (1006)' };

function words(failure: Failure, surroundings: Partial<Surroundings> = {}): string {
  return Object.values(explain(failure, { ...seen, ...surroundings })).join(' | ');
}

describe('mixed content', () => {
  const page = 'https://console.example/';

  it('names the wss: address and the broker’s usual port', () => {
    expect(words(network, { page })).toMatch(/https.*ws: address.*wss:.*8084/);
    expect(words(network, { page, url: 'ws://broker.hivemq.com:8000/mqtt' })).toContain('8884');
    expect(words(network, { page, url: 'ws://broker.example:7777/mqtt' })).not.toContain('usually');
  });

  it('is named even if the client itself refused to try', () => {
    expect(words({ code: 'bad-option', message: 'url: mixed content', field: 'url' }, { page })).toContain(
      '8084',
    );
  });

  it('is not the reason on wss:, on http, or to the local machine', () => {
    expect(words(network, { page, url: 'wss://broker.example:8084/mqtt' })).not.toContain('https');
    expect(words(network)).not.toContain('https');
    expect(words(network, { page, url: 'ws://127.0.0.1:8083/mqtt' })).not.toContain('wss:');
  });
});

describe('unreachable and wrong path', () => {
  it('says that nothing answers', () => {
    expect(words(network, { reach: 'silent' })).toMatch(
      /Nothing answers at broker\.example:8083.*host name.*port/,
    );
  });

  it('mentions the certificate on wss: only', () => {
    expect(words(network, { reach: 'silent', url: 'wss://broker.example/mqtt' })).toContain('certificate');
    expect(words(network, { reach: 'silent' })).not.toContain('certificate');
  });

  it('says that the path is wrong if the host answers', () => {
    expect(words(network, { reach: 'answers', url: 'ws://broker.example:8083/' })).toMatch(
      /answers, but not.*no path/,
    );
    expect(words(network, { reach: 'answers', url: 'ws://broker.example:8083/ws' })).toMatch(
      /at \/ws.*\/mqtt/,
    );
  });

  it.each(['1883', '8883'])('knows that port %s is not WebSocket', (port) => {
    const url = `ws://broker.example:${port}/mqtt`;
    expect(words(network, { url, reach: 'silent' })).toMatch(/over TCP.*8083.*9001/);
    expect(words({ code: 'timeout', message: 'timed out' }, { url })).toContain('over TCP');
  });

  it('blames the broker behind the server if the server says so', () => {
    const why = 'connect: WebSocket closed (1014): the relay cannot reach its broker';
    expect(words({ ...network, closeCode: 1014, message: why }, { reach: 'answers' })).toMatch(
      /on the way.*log of that server.*relay cannot reach/,
    );
  });

  it('does not guess before probing', () => {
    expect(words(network)).toMatch(/No connection to broker\.example:8083/);
    expect(words(network)).not.toContain('Nothing answers');
  });
});

describe('the browser’s local-network permission', () => {
  const url = 'ws://192.168.1.20:9001/mqtt';

  it('is named when it was denied', () => {
    expect(words(network, { url, localNetwork: 'denied' })).toMatch(/blocks.*192\.168\.1\.20:9001.*Allow/);
    expect(words({ code: 'timeout', message: '' }, { url, localNetwork: 'denied' })).toContain(
      'Local network access',
    );
  });

  it('is named if the browser has yet to ask', () => {
    expect(words(network, { url, localNetwork: 'prompt' })).toContain('when the browser asks');
  });

  it('is not the reason for a public broker, a private page, or once granted', () => {
    expect(words(network, { localNetwork: 'denied' })).not.toContain('Local network');
    expect(words(network, { url, page: 'http://localhost/', localNetwork: 'denied' })).not.toContain(
      'blocks',
    );
    expect(words(network, { url, localNetwork: 'granted', reach: 'silent' })).toContain('Nothing answers');
  });
});

describe('the broker’s own reason', () => {
  it.each([
    [0x84, 'MQTT 5'],
    [0x85, 'client ID'],
    [0x86, 'user name or password'],
    [0x87, 'does not allow'],
    [0x88, 'unavailable'],
    [0x89, 'busy'],
    [0x8a, 'banned'],
    [0x97, 'quota'],
    [0x9b, 'QoS 1 or 0'],
    [0xa0, 'token'],
    [0x9f, 'Too many connections'],
  ])('CONNACK %i', (reasonCode, expected) => {
    expect(words({ code: 'refused', message: 'refused', reasonCode })).toContain(expected);
  });

  it('gives code and text, without hidden characters', () => {
    const failure: Failure = {
      code: 'refused',
      message: '',
      reasonCode: 0x86,
      reasonString: 'no\u202e such\nuser',
    };
    expect(explain(failure, seen).detail).toBe('Broker’s reason 0x86: “no\\u202e such␊user”');
  });

  it('explains a code without a specific remedy', () => {
    expect(words({ code: 'refused', message: 'x', reasonCode: 0x83 })).toMatch(
      /refused the connection.*0x83/,
    );
    expect(words({ code: 'disconnected', message: 'x', reasonCode: 0x80 })).toMatch(
      /ended the connection.*0x80/,
    );
  });

  it('takes precedence over a guess', () => {
    expect(
      words(
        { code: 'refused', message: '', reasonCode: 0x89 },
        { page: 'https://console.example/', reach: 'silent' },
      ),
    ).toContain('busy');
  });
});

describe('brokers with deviations', () => {
  const aws = 'wss://a1-ats.iot.eu-west-1.amazonaws.com/mqtt';
  const closed: Failure = { ...network, closeCode: 1005 };

  it('AWS IoT gives no reason, so the likely ones are listed', () => {
    expect(words(closed, { url: aws, lost: true })).toMatch(/AWS IoT closed.*\$SYS.*8 topic.*QoS 2.*128 KB/);
    expect(words(network, { url: aws, lost: true, reach: 'answers' })).toContain('AWS IoT closed');
    expect(words(network, { url: aws, reach: 'answers' })).toMatch(
      /did not accept this client.*signature.*clock.*iot:Connect/,
    );
    expect(words(network, { url: aws, reach: 'silent' })).not.toContain('AWS');
    const evil = 'wss://a1.iot.eu-west-1.amazonaws.com.evil.example/mqtt';
    expect(words(closed, { url: evil, lost: true })).not.toContain('AWS');
  });

  it('others that close a connection without a reason', () => {
    for (const [failure, more] of [
      [closed, {}],
      [network, { reach: 'answers' }],
    ] as const) {
      const text = words(failure, { lost: true, ...more });
      expect(text).toMatch(/without a reason.*not allow a topic.*client ID/);
      expect(text).not.toContain('not as MQTT');
    }
    expect(words(network, { lost: true, reach: 'silent' })).toContain('Nothing answers');
  });

  it('a broker that speaks only MQTT 3.1.1, whether it says so or closes the connection', () => {
    const said: Failure = { code: 'protocol', message: 'the broker speaks MQTT 3.1.1 only; this client…' };
    expect(words(said)).toMatch(/does not speak MQTT 5.*newer one/);
    expect(words(closed, { reach: 'answers' })).toMatch(
      /broker\.example:8083 closed the connection right after CONNECT.*MQTT 3\.1\.1 only/,
    );
    // The NATS server closes the TCP connection, RabbitMQ 3.10 the WebSocket with 1011.
    const why = 'the connection ended before CONNACK: WebSocket closed abnormally (code 1006)';
    expect(words({ code: 'network', message: why, closeCode: 1006 }, { reach: 'answers' })).toMatch(
      /closed the connection right after CONNECT.*MQTT 3\.1\.1 only/,
    );
  });

  it('Event Grid’s refusals are about the token', () => {
    const url = 'wss://ns.westeurope-1.ts.eventgrid.azure.net/mqtt';
    expect(words({ code: 'refused', message: '', reasonCode: 0x87 }, { url })).toMatch(/token.*expired.*aud/);
    expect(words({ code: 'refused', message: '', reasonCode: 0x89 }, { url })).toContain('busy');
  });

  it.each(['transformWsUrl', 'credentials', 'authenticate'])(
    'a token or signature that %s failed to provide',
    (field) => {
      const message = `${field}: the token of https://auth.example/ was refused with status 403`;
      expect(words({ code: 'aborted', message, field })).toMatch(/no token or signature.*status 403/);
    },
  );
});

describe('other failures', () => {
  it.each([
    ['protocol', /broker\.example:8083 is not an MQTT 5 broker/],
    ['timeout', /broker\.example:8083 did not answer in time.*firewall/],
    ['crashed', /reload/],
    ['aborted', /Connecting was cancelled/],
    ['packet-too-large', /too large/],
  ] as const)('%s', (code, expected) => expect(words({ code, message: '' })).toMatch(expected));

  it('a timeout of a host that answers HTTP suggests port and path', () => {
    expect(words({ code: 'timeout', message: '' }, { reach: 'answers' })).toContain('port and the path');
  });

  it('a bad option explains itself, once', () => {
    expect(
      explain({ code: 'bad-option', message: 'url: not a WebSocket address', field: 'url' }, seen),
    ).toEqual({
      title: 'The connection’s settings are not right',
      advice: 'url: not a WebSocket address',
    });
  });

  it('works without an address', () => {
    expect(words(network, { url: 'nonsense' })).toContain('No connection');
  });
});
