/** Connects with the login in the form. Loaded if there is one. */

import { customAuthorizer, jwt, type Renewal, sigV4, type TokenSource, tokenFrom } from '../../brokers';
import { type Client, type ConnectOptions, MqttError } from '../../client';
import { inOneLine, toFailure } from '../core/failure';
import { t } from '../core/i18n/i18n';
import type { Connection } from './connection';
import { fieldOf } from './login-fields';
import type { Settings } from './settings';

type Prepared = { options: ConnectOptions } & Partial<Pick<Renewal, 'renew'>>;

/**
 * What is typed into the form later, such as a fresh token, is used at the next attempt, as long as
 * the form has the same broker. The login is sent to no other address than that in the form.
 */
export async function connectBy(
  { settings, tell }: Pick<Connection, 'tell'> & { settings: { peek(): Settings } },
  options: ConnectOptions,
  connect: (options: ConnectOptions) => Promise<Client>,
): Promise<Client> {
  const first = settings.peek();
  if (options.url !== first.url) return connect(options);
  const current = (): Settings => {
    const now = settings.peek();
    return now.url === first.url && now.login.kind === first.login.kind ? now : first;
  };
  try {
    const { options: all, renew } = prepare(current, options);
    const client = await connect(all);
    renew?.(client, (error) => {
      tell(() => ({
        tone: 'warning',
        title: t('The token could not be renewed'),
        advice: t('The broker will end the connection when it expires. Trying again in a moment.'),
        detail: inOneLine(toFailure(error)),
      }));
    });
    return client;
  } catch (error) {
    throw atFormField(error);
  }
}

function prepare(current: () => Settings, options: ConnectOptions): Prepared {
  const { login, username } = current();
  const { username: _, password: __, ...bare } = options;
  switch (login.kind) {
    case 'sigv4': {
      const credentials = () => {
        const { accessKeyId = '', secretAccessKey = '', sessionToken } = current().secrets;
        return { accessKeyId, secretAccessKey, sessionToken };
      };
      return { options: sigV4(bare, { credentials, ...(login.region && { region: login.region }) }) };
    }
    case 'authorizer':
      return {
        options: customAuthorizer(options, () => {
          const { login, secrets } = current();
          const { token, signature } = secrets;
          return { name: login.authorizer, tokenKey: login.tokenKey || undefined, token, signature };
        }),
      };
    case 'jwt':
      return withJwt(bare, login.method, () => current().secrets.token ?? '');
    default: {
      const { tokenUrl = '', use } = login;
      const fetchToken = tokenFrom(tokenUrl + (current().secrets.tokenQuery ?? ''));
      const text = async () => (await fetchToken()).token;
      if (use === 'jwt') return withJwt(bare, login.method, fetchToken);
      if (use === 'address')
        return { options: { ...options, transformWsUrl: async (url) => ofSameHost(await text(), url) } };
      const credentials = async () => ({ ...(username && { username }), password: await text() });
      return { options: { ...options, credentials } };
    }
  }
}

/** User name and password are sent, too, so it must be the broker for which they were typed. */
function ofSameHost(address: string, url: string): string {
  if (URL.canParse(address) && new URL(address).host === new URL(url).host) return address;
  throw new Error(`the token URL gives no address of ${new URL(url).host}`);
}

function withJwt(options: ConnectOptions, method: string | undefined, token: TokenSource): Renewal {
  return jwt(options, { token, ...(method && { method }) });
}

function atFormField(error: unknown): unknown {
  if (!(error instanceof MqttError) || error.code !== 'bad-option') return error;
  const field = fieldOf(error.field);
  if (field === undefined) return error;
  const message = error.message.replace(`${error.field}: `, `${field}: `);
  return new MqttError('bad-option', message, { field, cause: error });
}
