/** The fields of a login, as in the form. */

import { mark } from '../core/i18n/i18n';
import { isRecord } from '../core/storage';
import { loginFields, type Settings, secretFields } from './settings';

/** The empty one: user name and password, or nothing. */
export const kinds = [
  ['', mark('User name and password, or none')],
  ['sigv4', mark('AWS IoT: Signature Version 4')],
  ['authorizer', mark('AWS IoT: custom authorizer')],
  ['jwt', mark('JSON Web Token (Azure Event Grid)')],
  ['url', mark('Token from a URL')],
] as const;

/** What a token from a URL is used as. */
export const uses = [
  ['password', mark('Password')],
  ['jwt', mark('JSON Web Token (enhanced authentication)')],
  ['address', mark('Signed address of the broker')],
] as const;

export const defaultMethod = 'OAUTH2-JWT';

/** Characters of a field: no authentication data may be longer (1.5.6). */
const longest = 65_535;

function pick<F extends string>(fields: readonly F[], value: unknown): { [field in F]?: string } {
  const all: Record<string, unknown> = isRecord(value) ? value : {};
  const found = fields.flatMap((field) => {
    const text = Object.hasOwn(all, field) ? all[field] : undefined;
    return typeof text === 'string' && text !== '' && text.length <= longest ? [[field, text]] : [];
  });
  return Object.fromEntries(found);
}

/** From foreign JSON. A kind that this version of the page does not know is ignored. */
export function loginFrom(login: unknown, secrets: unknown): Pick<Settings, 'login' | 'secrets'> {
  const found = pick(loginFields, login);
  const known = kinds.some(([kind]) => kind !== '' && kind === found.kind);
  return known ? { login: found, secrets: pick(secretFields, secrets) } : { login: {}, secrets: {} };
}

/** The form's field for a bad option of a login. */
export function fieldOf(option: string | undefined): string | undefined {
  if (option === 'url') return 'login.tokenUrl';
  if (loginFields.some((field) => field === option)) return `login.${option}`;
  if (secretFields.some((field) => field === option)) return `secrets.${option}`;
  return undefined;
}
