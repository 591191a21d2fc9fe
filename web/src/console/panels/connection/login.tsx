import { expiryOf, regionOf } from '../../../brokers';
import { inOneLine, toFailure } from '../../core/failure';
import { t } from '../../core/i18n/i18n';
import type { Connection } from '../../session/connection';
import { defaultMethod, kinds, uses } from '../../session/login-fields';
import type { LoginField, SecretField } from '../../session/settings';
import { Button } from '../../ui/button';
import { FieldError, Select, TextField, translated } from '../../ui/fields';
import { useTold } from '../../ui/told';

function expiry(token: string): string | undefined {
  const at = expiryOf(token);
  if (at === undefined) return undefined;
  const time = new Date(at).toLocaleString();
  return at > Date.now() ? t('Expires {time}', { time }) : t('Expired {time}: get a new one', { time });
}

/** Sends the token in the form on the current connection. */
function SendAgain({ connection }: { connection: Connection }) {
  const news = useTold();
  const client = connection.client.value;
  if (!client || connection.status.value.phase !== 'connected') return null;
  async function send() {
    news.value = () => t('One moment');
    try {
      await client?.reauthenticate();
      news.value = () => t('The broker accepted the token.');
    } catch (error) {
      news.value = () => t('The token was not accepted. {why}', { why: inOneLine(toFailure(error)) });
    }
  }
  return (
    <div class="line">
      <Button onClick={() => void send()}>{t('Authenticate again')}</Button>
      <span class="fine wrap" role="status" aria-label={t('Authentication')}>
        {news.value}
      </span>
    </div>
  );
}

/** How the connection authenticates. */
export function Login({ connection }: { connection: Connection }) {
  const { url, login, secrets } = connection.settings.value;
  const errors = connection.fieldErrors.value;
  const { kind = '', use = 'password' } = login;

  const plain = (label: string, field: LoginField, placeholder?: string) => (
    <TextField
      label={label}
      placeholder={placeholder}
      value={login[field] ?? ''}
      error={errors[`login.${field}`]}
      onEdit={(typed) => connection.edit({ login: { ...login, [field]: typed.trim() } })}
    />
  );
  const secret = (label: string, field: SecretField, hint?: string) => (
    <TextField
      label={label}
      type="password"
      hint={hint}
      value={secrets[field] ?? ''}
      error={errors[`secrets.${field}`]}
      onEdit={(typed) => connection.edit({ secrets: { ...secrets, [field]: typed.trim() } })}
    />
  );

  /** Choosing another kind of authentication clears the credentials. */
  function choose(chosen: string) {
    connection.edit({
      login: chosen === '' ? {} : { ...login, kind: chosen },
      secrets: {},
      ...(chosen !== '' && { scram: false, authenticationMethod: '', authenticationData: '' }),
    });
  }

  function editTokenUrl(typed: string) {
    // The query and the user name may be credentials.
    const [, tokenUrl = '', tokenQuery = ''] = /^([^?#@]*)(.*)$/s.exec(typed.trim()) ?? [];
    connection.edit({ login: { ...login, tokenUrl }, secrets: { ...secrets, tokenQuery } });
  }

  const asJwt = kind === 'jwt' || (kind === 'url' && use === 'jwt');
  const region = URL.canParse(url) ? regionOf(new URL(url).hostname) : undefined;
  return (
    <>
      <Select
        label={t('Authentication')}
        class="narrow"
        value={kind}
        options={translated<string>(kinds)}
        onEdit={choose}
      />
      {kind !== '' && (
        <div class="fields">
          {kind === 'sigv4' && (
            <>
              {plain(t('Region'), 'region', region ?? t('such as eu-west-1'))}
              {secret(t('Access key ID'), 'accessKeyId')}
              {secret(t('Secret access key'), 'secretAccessKey')}
              {secret(t('Session token, if any'), 'sessionToken')}
            </>
          )}
          {kind === 'authorizer' && (
            <>
              {plain(t('Authorizer'), 'authorizer', t('the endpoint’s own'))}
              {plain(t('Name of the token'), 'tokenKey', 'token')}
              {secret(t('Token'), 'token')}
              {secret(t('Signature, if checked'), 'signature')}
            </>
          )}
          {kind === 'jwt' && secret(t('Token'), 'token', expiry(secrets.token ?? ''))}
          {kind === 'url' && (
            <>
              <TextField
                label={t('Token URL, asked at each attempt')}
                value={(login.tokenUrl ?? '') + (secrets.tokenQuery ?? '')}
                error={errors['login.tokenUrl']}
                onEdit={editTokenUrl}
              />
              <Select
                label={t('Use it as')}
                value={use}
                options={translated<string>(uses)}
                onEdit={(use) => connection.edit({ login: { ...login, use } })}
              />
            </>
          )}
          {asJwt && plain(t('Authentication method'), 'method', defaultMethod)}
        </div>
      )}
      {kind === 'sigv4' && !isSecureContext && (
        <FieldError>
          {t('Browsers sign only on pages that came over https or from this computer.')}
        </FieldError>
      )}
      {asJwt && <SendAgain connection={connection} />}
      {kind !== '' && (
        <p class="empty-line">
          {t(
            'Secrets are never part of links or exported files, and are gone after a reload unless you keep them in a profile.',
          )}
        </p>
      )}
    </>
  );
}
