import { expect, test } from 'vitest';
import { type Authorizer, customAuthorizer } from './authorizer';

async function dialled(authorizer: Authorizer | (() => Authorizer), url = 'wss://a.example/mqtt') {
  const all = customAuthorizer({ url, username: 'me' }, authorizer);
  expect(all.username).toBe('me');
  return await all.transformWsUrl?.(url, all);
}

test('name, token and signature go into the query, each encoded', async () => {
  const authorizer = { name: 'my authorizer', tokenKey: 'who', token: 'a+b&c', signature: 'x+/y==' };
  expect(await dialled(authorizer)).toBe(
    'wss://a.example/mqtt?x-amz-customauthorizer-name=my%20authorizer&who=a%2Bb%26c' +
      '&x-amz-customauthorizer-signature=x%2B%2Fy%3D%3D',
  );
});

test('a signature that is already encoded is not encoded twice', async () => {
  expect(await dialled({ token: 't', signature: 'x%2B%2Fy%3D%3D' })).toContain('signature=x%2B%2Fy%3D%3D');
});

test('the address keeps its query, and without a name the endpoint’s default authorizer applies', async () => {
  expect(await dialled({ token: 't' }, 'wss://a.example/mqtt?x=1')).toBe('wss://a.example/mqtt?x=1&token=t');
  expect(await dialled({})).toBe('wss://a.example/mqtt');
});

test('a function is called for each attempt', async () => {
  let n = 0;
  const next = () => ({ token: `t${++n}` });
  expect(await dialled(next)).toContain('token=t1');
  expect(await dialled(next)).toContain('token=t2');
});

test.each<[field: string, authorizer: Authorizer]>([
  ['token', { signature: 'x' }],
  ['tokenKey', { token: 't', tokenKey: '' }],
  ['signature', { token: 't', signature: '%' }],
])('an invalid %s is refused', (field, authorizer) => {
  expect(() => customAuthorizer({}, authorizer)).toThrow(
    expect.objectContaining({ code: 'bad-option', field }),
  );
});
