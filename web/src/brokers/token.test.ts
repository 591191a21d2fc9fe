import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { expiryOf, tokenFrom } from './token';

let stop = () => {};
afterEach(() => stop());

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  stop = () => void server.close().closeAllConnections();
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/token?key=secret`;
}

const answer = (body: string, status = 200) => serve((_, response) => response.writeHead(status).end(body));

test.each([
  ['text', ' abc.def.ghi\n', 'abc.def.ghi'],
  ['a JSON string', '"abc"', 'abc'],
  ['JSON of one’s own', '{"token":"abc"}', 'abc'],
])('the token is read from %s', async (_, body, token) => {
  expect(await tokenFrom(await answer(body))()).toEqual({ token });
});

test('an OAuth response gives the token’s lifetime', async () => {
  const before = Date.now();
  const url = await answer('{"access_token":"abc","token_type":"Bearer","expires_in":3600}');
  const { token, expiresAt = 0 } = await tokenFrom(url)();
  expect(token).toBe('abc');
  expect(expiresAt).toBeGreaterThanOrEqual(before + 3_600_000);
  expect(expiresAt).toBeLessThanOrEqual(Date.now() + 3_600_000);
});

test('the token is fetched for each call, with the given request options', async () => {
  let n = 0;
  const seen: (string | undefined)[] = [];
  const url = await serve((request, response) => {
    seen.push(`${request.method} ${request.headers.authorization}`);
    response.end(JSON.stringify({ pass: `t${++n}` }));
  });
  const next = tokenFrom(url, { method: 'POST', headers: { authorization: 'Bearer me' }, member: 'pass' });
  expect([await next(), await next()]).toEqual([{ token: 't1' }, { token: 't2' }]);
  expect(seen).toEqual(['POST Bearer me', 'POST Bearer me']);
});

test.each([
  ['a refusal', 'no', 403, /refused with status 403/],
  ['a page', '<!doctype html>', 200, /a web page instead/],
  ['broken JSON', '{"token":', 200, /neither text nor JSON/],
  ['JSON without one', '{"tokens":[]}', 200, /has no access_token, token, id_token, password/],
  ['nothing', '', 200, /not in the answer/],
  ['a number', '{"token":5}', 200, /not in the answer/],
  ['too much', 'x'.repeat(65_537), 200, /longer than 65536 bytes/],
])('%s is explained without the secrets in the address', async (_, body, status, words) => {
  const failed = tokenFrom(await answer(body, status))();
  await expect(failed).rejects.toThrow(words);
  await expect(failed).rejects.toThrow(/127\.0\.0\.1:\d+\/token (?!.*secret)/);
});

test('an unreachable server, and one that never responds', async () => {
  const url = await serve(() => {});
  await expect(tokenFrom(url, { timeout: 20 })()).rejects.toThrow('did not arrive within 20 ms');
  await expect(tokenFrom('http://127.0.0.1:1/token')()).rejects.toThrow(/could not be fetched.*CORS/);
});

test.each(['', 'token', 'ftp://a/', 'javascript:alert(1)'])(
  '%j is not a valid address to fetch from',
  (url) => {
    expect(() => tokenFrom(url)).toThrow(expect.objectContaining({ code: 'bad-option', field: 'url' }));
  },
);

const jwtOf = (claims: unknown) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.sig`;

test('reads when a JWT expires', () => {
  expect(expiryOf(jwtOf({ exp: 1_700_000_000, name: 'Zoë ??>>' }))).toBe(1_700_000_000_000);
  for (const token of [jwtOf({}), jwtOf({ exp: 'soon' }), jwtOf(null), 'opaque', 'a.b.c', '']) {
    expect(expiryOf(token)).toBeUndefined();
  }
});
