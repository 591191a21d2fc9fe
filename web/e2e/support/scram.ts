/** The server side of SCRAM-SHA-256 (RFC 5802, RFC 7677). */

import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { authOf, connectOf, property } from './fields';
import {
  answerTo,
  auth,
  authentication,
  type Connection,
  connack,
  reasonString,
  type Script,
  type,
} from './scripted';

export const scramMethod = 'SCRAM-SHA-256';

/**
 * Authenticates `alice` by her password, and re-authenticates her on request. `firsts` gets the first message
 * of each exchange.
 */
export function serveScram(password: string, firsts: string[] = []): Script {
  return async (connection) => {
    const { properties } = connectOf(await connection.expect(type.connect));
    const method = properties.get(property.authenticationMethod)?.toString();
    if (method !== scramMethod) throw new Error(`CONNECT names the method ${method}`);
    const proof = await prove(properties.get(property.authenticationData));
    if (proof === undefined) {
      connection.send(connack(0x87, reasonString('wrong password')));
      return connection.close();
    }
    connection.send(connack(0, authentication(scramMethod, proof)));
    for (;;) {
      const packet = await connection.next();
      if (packet.type === type.auth) {
        const { reason, data } = authOf(packet);
        if (reason !== 0x19) throw new Error(`AUTH with reason ${reason} instead of Re-authenticate`);
        connection.send(auth(0, authentication(scramMethod, (await prove(data)) ?? '')));
      }
      const answer = answerTo(packet);
      if (answer) connection.send(answer);
    }

    async function prove(first: Buffer | undefined): Promise<string | undefined> {
      firsts.push(String(first));
      return scramExchange(connection, first, password);
    }
  };
}

/**
 * From the client's first message to the server signature, which is undefined if the client's proof is wrong.
 */
export async function scramExchange(
  connection: Connection,
  first: Buffer | undefined,
  password: string,
): Promise<string | undefined> {
  const scram = createScramServer('alice', password);
  connection.send(auth(0x18, authentication(scramMethod, scram.challenge(first ?? Buffer.alloc(0)))));
  const { reason, data = Buffer.alloc(0) } = authOf(await connection.expect(type.auth));
  if (reason !== 0x18) throw new Error(`AUTH with reason ${reason} instead of Continue authentication`);
  return scram.verify(data);
}

interface ScramServer {
  /** Returns the challenge for the client's first message. */
  challenge(clientFirst: Uint8Array): string;
  /** Returns the server signature for the client's final message; undefined if its proof is wrong. */
  verify(clientFinal: Uint8Array): string | undefined;
}

function createScramServer(username: string, password: string): ScramServer {
  const salt = randomBytes(16);
  const iterations = 4096;
  let clientFirst = '';
  let serverFirst = '';

  return {
    challenge(message) {
      // "n,,": no channel binding, no authorization identity.
      const [, first = '', nonce] = /^n,,(n=.*,r=(.*))$/.exec(decode(message)) ?? [];
      if (!first.startsWith(`n=${username},`)) throw new Error(`unknown user in ${first}`);
      clientFirst = first;
      serverFirst = `r=${nonce}${randomBytes(18).toString('base64')},s=${salt.toString('base64')},i=${iterations}`;
      return serverFirst;
    },
    verify(message) {
      const [, unproved = '', nonce, proof = ''] = /^(c=biws,r=(.*)),p=(.*)$/.exec(decode(message)) ?? [];
      if (!serverFirst.startsWith(`r=${nonce},s=`))
        throw new Error('the nonce is not the one of this exchange');
      const all = `${clientFirst},${serverFirst},${unproved}`;
      const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
      const storedKey = sha256(mac(salted, 'Client Key'));
      const signature = mac(storedKey, all);
      const clientKey = Buffer.from(proof, 'base64').map((byte, at) => byte ^ (signature[at] as number));
      if (!sha256(clientKey).equals(storedKey)) return undefined;
      return `v=${mac(mac(salted, 'Server Key'), all).toString('base64')}`;
    },
  };
}

const decode = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
const mac = (key: Uint8Array, text: string): Buffer => createHmac('sha256', key).update(text).digest();
