/** SCRAM-SHA-256 (RFC 5802, RFC 7677) with the browser's own cryptography, loaded on demand. */

import type { AuthStep } from '../../protocol/boundary';
import type { Scram } from '../checks/options';
import { MqttError } from '../errors';

// With fewer, an eavesdropper could guess the password easily (RFC 7677, 4). More would take
// minutes, and the broker has not yet proved its identity when it sets them.
const iterationsTaken = { min: 4096, max: 10_000_000 };

/** No channel binding, no other identity. */
const header = 'n,,';

/**
 * Text as SCRAM compares it. Brokers store it prepared (RFC 7613), and in practice only NFKC makes
 * a difference.
 */
const prepared = (text: string): string => text.normalize('NFKC');

/** Answers the steps of one client, which has one connection at a time. */
export function createScram(
  { username, password }: Scram,
  newNonce: () => string = randomNonce,
): (step: AuthStep) => Promise<Uint8Array | undefined> {
  const { subtle } = crypto;
  if (subtle === undefined) {
    throw new MqttError(
      'unsupported',
      'scram: browsers offer cryptography only to pages over https or from this machine',
      {
        field: 'scram',
      },
    );
  }
  const name = prepared(username).replaceAll('=', '=3D').replaceAll(',', '=2C');
  let first = '';
  let signature: Uint8Array | undefined;
  /** The salt is the same at each connection, so the slow part is done once. */
  let salted: { salt: string; iterations: number; key: Promise<CryptoKey> } | undefined;

  const hmac = async (key: CryptoKey, message: string): Promise<Uint8Array<ArrayBuffer>> =>
    new Uint8Array(await subtle.sign('HMAC', key, utf8(message)));
  const macKey = (bytes: BufferSource): Promise<CryptoKey> =>
    subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);

  async function derive(salt: string, iterations: number): Promise<CryptoKey> {
    const material = await subtle.importKey('raw', utf8(prepared(password)), 'PBKDF2', false, ['deriveBits']);
    const parameters = { name: 'PBKDF2', hash: 'SHA-256', salt: fromBase64(salt), iterations };
    return macKey(await subtle.deriveBits(parameters, material, 256));
  }

  async function prove(challenge: string): Promise<Uint8Array> {
    const { nonce, salt, iterations } = parseChallenge(challenge);
    const ours = first.slice(first.indexOf(',r=') + 3);
    if (first === '') throw broken('the broker sent a second challenge');
    if (nonce.length <= ours.length || !nonce.startsWith(ours))
      throw broken("the broker's nonce does not begin with the client's");
    if (salted?.salt !== salt || salted.iterations !== iterations) {
      salted = { salt, iterations, key: derive(salt, iterations) };
    }
    const key = await salted.key;
    const final = `c=${btoa(header)},r=${nonce}`;
    const all = `${first},${challenge},${final}`;
    first = '';
    const clientKey = await hmac(key, 'Client Key');
    const storedKey = await macKey(await subtle.digest('SHA-256', clientKey));
    const mask = await hmac(storedKey, all);
    signature = await hmac(await macKey(await hmac(key, 'Server Key')), all);
    return utf8(`${final},p=${toBase64(clientKey.map((byte, index) => byte ^ (mask[index] as number)))}`);
  }

  function verify(data: string): void {
    const expected = signature && `v=${toBase64(signature)}`;
    signature = undefined;
    refuse(data);
    // Extensions may follow.
    if (expected !== undefined && data.split(',', 1)[0] === expected) return;
    throw broken('the broker did not prove that it knows the password');
  }

  return async ({ phase, data }) => {
    const message = new TextDecoder().decode(data);
    switch (phase) {
      case 'start':
        first = `n=${name},r=${newNonce()}`;
        signature = undefined;
        return utf8(header + first);
      case 'continue':
        return prove(message);
      case 'success':
        verify(message);
    }
    return undefined;
  };
}

/** `r=…,s=…,i=…`, which extensions may follow. */
function parseChallenge(message: string): { nonce: string; salt: string; iterations: number } {
  refuse(message);
  const [, nonce, salt, count] = /^r=([^,]+),s=([A-Za-z\d+/]+=*),i=(\d{1,9})(?:,|$)/.exec(message) ?? [];
  if (nonce === undefined || salt === undefined || salt.length % 4 !== 0) {
    throw broken("the broker's challenge is not r=…,s=…,i=…");
  }
  const iterations = Number(count);
  const { min, max } = iterationsTaken;
  if (iterations < min || iterations > max) {
    throw broken(`the broker asks for ${iterations} iterations; ${min} to ${max} are accepted`);
  }
  return { nonce, salt, iterations };
}

/** The broker may refuse, with its reason: `e=…`. */
function refuse(message: string): void {
  if (!message.startsWith('e=')) return;
  const reasonString = message.slice(2);
  throw new MqttError('refused', `scram: the broker refused: ${reasonString}`, {
    field: 'scram',
    reasonCode: 0x87,
    reasonString,
  });
}

function broken(problem: string): MqttError {
  return new MqttError('protocol', `scram: ${problem}`, { field: 'scram' });
}

function randomNonce(): string {
  return toBase64(crypto.getRandomValues(new Uint8Array(24)));
}

function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
