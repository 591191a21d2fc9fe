import { expect, test } from 'vitest';
import type { ConnectOptions } from '../client';
import { type AwsCredentials, regionOf, type Signing, sigV4 } from './sigv4';

/**
 * From the AWS signing test suite, like the signatures below (aws-c-auth, aws-signing-test-suite/v4,
 * query-*).
 */
const suite = {
  credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' },
  region: 'us-east-1',
  service: 'service',
  expires: 3600,
  now: () => Date.UTC(2015, 7, 30, 12, 36),
} satisfies Signing;

async function signed(url: string, signing: Signing, options: ConnectOptions = {}): Promise<URL> {
  const all = sigV4({ url, ...options }, signing);
  return new URL((await all.transformWsUrl?.(url, all)) ?? '');
}

test.each([
  ['get-vanilla-query', '', 'e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d'],
  [
    'get-vanilla-query-order-key-case',
    '?Param2=value2&Param1=value1',
    '86012e2c9ad4d77369f5d81c11f75158aae4f895a085212cc6d3f923d300bed5',
  ],
  [
    'get-vanilla-query-order-encoded',
    '?Param-3=Value3&Param=Value2&%E1%88%B4=Value1',
    'c5f1848ceec943ac2ca68ee720460c23aaae30a2300586597ada94c4a65e4787',
  ],
  [
    'get-vanilla-query-unreserved',
    '?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
    '8e76a88a7433637b12778d5592799b29ad21ecd6cf6325051c21d86f0acda2bf',
  ],
  ['get-vanilla-utf8-query', '?ሴ=bar', '0bdd809b1519ac4f0c1dc3540e2cc46bd0c7f778eda408b2ebf3b913d21ff600'],
])('AWS’ test vector %s', async (_, query, signature) => {
  const url = await signed(`wss://example.amazonaws.com/${query}`, suite);
  expect(url.searchParams.get('X-Amz-Signature')).toBe(signature);
  expect(url.search).toContain(
    'X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fservice%2Faws4_request&X-Amz-Date=20150830T123600Z',
  );
});

test('a session token follows the signature, which does not cover it', async () => {
  const sessionToken = '6e86/+=291e';
  const credentials = { ...suite.credentials, sessionToken };
  const { search, searchParams } = await signed('wss://example.amazonaws.com/', { ...suite, credentials });
  expect(search).toMatch(
    /&X-Amz-Signature=e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d&X-Amz-Security-Token=6e86%2F%2B%3D291e$/,
  );
  expect(searchParams.get('X-Amz-Security-Token')).toBe(sessionToken);
});

test('for AWS IoT, region and service come from the host, and the time is now', async () => {
  const before = Date.now();
  const { credentials } = suite;
  const url = await signed('wss://a1-ats.iot.eu-west-1.amazonaws.com/mqtt', { credentials });
  const at = url.searchParams.get('X-Amz-Date') ?? '';
  const day = at.slice(0, 8);
  expect(url.searchParams.get('X-Amz-Credential')).toBe(
    `AKIDEXAMPLE/${day}/eu-west-1/iotdevicegateway/aws4_request`,
  );
  expect(url.pathname).toBe('/mqtt');
  const seconds = Date.parse(at.replace(/(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/, '$1-$2-$3T$4:$5:$6Z'));
  expect(seconds).toBeGreaterThanOrEqual(before - 1000);
  expect(seconds).toBeLessThanOrEqual(Date.now());
});

test.each([
  ['a1-ats.iot.eu-west-1.amazonaws.com', 'eu-west-1'],
  ['a1.iot-fips.us-gov-west-1.amazonaws.com', 'us-gov-west-1'],
  ['a1.ats.iot.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
  ['vpce-1.data.iot.us-east-1.vpce.amazonaws.com', 'us-east-1'],
  ['iot.example.com', undefined],
  ['a1.iot.eu-west-1.amazonaws.com.evil.example', undefined],
])('the region of %s is %s', (host, region) => expect(regionOf(host)).toBe(region));

test('a credentials function is called for each attempt, after the caller’s own transformWsUrl', async () => {
  let asked = 0;
  const all = sigV4(
    { url: 'wss://a.example/', transformWsUrl: (url) => `${url}mqtt?own=1` },
    {
      ...suite,
      credentials: async () => ({ accessKeyId: `KEY${++asked}`, secretAccessKey: 's' }),
    },
  );
  for (const key of ['KEY1', 'KEY2']) {
    const url = new URL((await all.transformWsUrl?.('wss://a.example/', all)) ?? '');
    expect(url.pathname).toBe('/mqtt');
    expect(url.searchParams.get('own')).toBe('1');
    expect(url.searchParams.get('X-Amz-Credential')).toContain(`${key}/`);
  }
});

const wrong = (field: string) => expect.objectContaining({ code: 'bad-option', field });

test.each<[field: string, signing: Partial<Signing>]>([
  ['credentials', { credentials: undefined as never }],
  ['accessKeyId', { credentials: { ...suite.credentials, accessKeyId: '' } }],
  ['secretAccessKey', { credentials: { accessKeyId: 'a' } as AwsCredentials }],
  ['region', { region: 'eu-west-1/..' }],
  ['expires', { expires: 0 }],
])('an invalid %s is refused', (field, signing) => {
  expect(() => sigV4({}, { ...suite, ...signing })).toThrow(wrong(field));
});

test('errors found only during an attempt name the field, too', async () => {
  const { region: _, ...rest } = suite;
  await expect(signed('wss://broker.example/mqtt', rest)).rejects.toEqual(wrong('region'));
  const nothing = async () => undefined as never;
  await expect(signed('wss://broker.example/mqtt', { ...suite, credentials: nothing })).rejects.toEqual(
    wrong('accessKeyId'),
  );
});
