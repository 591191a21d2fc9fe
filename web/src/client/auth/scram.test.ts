import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { AuthStep } from '../../protocol/boundary';
import { createScram } from './scram';

const utf8 = (text: string) => new TextEncoder().encode(text);
const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);
const step = (phase: AuthStep['phase'], data?: string): AuthStep => ({
  phase,
  method: 'SCRAM-SHA-256',
  ...(data !== undefined && { data: utf8(data) }),
});

// The example of RFC 7677, 3.
const user = { username: 'user', password: 'pencil' };
const nonce = 'rOprNGfwEbeRWgbNEkqO';
const challenge = `r=${nonce}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`;
const proof = `c=biws,r=${nonce}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`;
const verifier = 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=';

test("the RFC's example", async () => {
  const scram = createScram(user, () => nonce);
  expect(text(await scram(step('start')))).toBe(`n,,n=user,r=${nonce}`);
  expect(text(await scram(step('continue', challenge)))).toBe(proof);
  expect(await scram(step('success', verifier))).toBeUndefined();
});

test('user names are normalised before sending', async () => {
  const scram = createScram({ username: 'Å①'.normalize('NFD'), password: 'pencil' }, () => nonce);
  expect(text(await scram(step('start')))).toBe(`n,,n=Å1,r=${nonce}`);
});

test('each connection starts a new exchange, and extensions may follow the signature', async () => {
  const nonces = ['one', 'two'];
  const scram = createScram({ username: 'a=b,c', password: 'Ⅸ' }, () => nonces.shift() as string);
  for (const ours of ['one', 'two']) {
    const first = text(await scram(step('start')));
    expect(first).toBe(`n,,n=a=3Db=2Cc,r=${ours}`);
    const asked = `r=${ours}+more,s=${btoa('salt')},i=5000,x=1`;
    const final = text(await scram(step('continue', asked)));
    // The password in its normalised form.
    const key = pbkdf2Sync('IX', 'salt', 5000, 32, 'sha256');
    const hmac = (secret: Uint8Array, message: string) =>
      createHmac('sha256', secret).update(message).digest();
    const all = `${first.slice(3)},${asked},c=biws,r=${ours}+more`;
    const mask = hmac(createHash('sha256').update(hmac(key, 'Client Key')).digest(), all);
    const proven = hmac(key, 'Client Key').map((byte, index) => byte ^ (mask[index] as number));
    expect(final).toBe(`c=biws,r=${ours}+more,p=${btoa(String.fromCharCode(...proven))}`);
    const signature = hmac(hmac(key, 'Server Key'), all).toString('base64');
    await scram(step('success', `v=${signature},x=2`));
  }
});

describe('rejects', () => {
  const salt = btoa('salt');
  for (const [name, asked] of [
    ['a nonce that is not ours', `r=other,s=${salt},i=4096`],
    ['a nonce that adds nothing to ours', `r=${nonce},s=${salt},i=4096`],
    ['too few iterations', `r=${nonce}x,s=${salt},i=4095`],
    ['too many iterations', `r=${nonce}x,s=${salt},i=10000001`],
    ['a salt that is not base64', `r=${nonce}x,s=a*,i=4096`],
    ['no salt', `r=${nonce}x,s=,i=4096`],
    ['nonsense', 'hello'],
    ['nothing', ''],
  ] as const) {
    test(name, async () => {
      const scram = createScram(user, () => nonce);
      await scram(step('start'));
      const failure = { code: 'protocol', field: 'scram', reasonCode: undefined };
      await expect(scram(step('continue', asked))).rejects.toMatchObject(failure);
    });
  }

  test('a second challenge', async () => {
    const scram = createScram(user, () => nonce);
    await scram(step('start'));
    await scram(step('continue', challenge));
    await expect(scram(step('continue', challenge))).rejects.toMatchObject({ code: 'protocol' });
  });

  for (const data of [undefined, '', 'v=', verifier.replace('6', '7')]) {
    test(`a broker whose final message is ${data}`, async () => {
      const scram = createScram(user, () => nonce);
      await scram(step('start'));
      await scram(step('continue', challenge));
      await expect(scram(step('success', data))).rejects.toMatchObject({
        code: 'protocol',
        reasonCode: undefined, // only the broker sends one
      });
    });
  }

  test('success before a challenge', async () => {
    const scram = createScram(user, () => nonce);
    await scram(step('start'));
    await expect(scram(step('success', verifier))).rejects.toMatchObject({ code: 'protocol' });
  });

  test("with the broker's refusal", async () => {
    const scram = createScram(user, () => nonce);
    await scram(step('start'));
    const refused = { code: 'refused', reasonCode: 0x87, reasonString: 'unknown-user' };
    await expect(scram(step('continue', 'e=unknown-user'))).rejects.toMatchObject(refused);
  });
});
