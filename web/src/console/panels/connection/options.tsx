import type { Connection } from '../../session/connection';
import type { Session as ConsoleSession } from '../../session/session';
import type { Settings, WillSettings } from '../../session/settings';
import { Disclosure } from '../../ui/disclosure';
import { fieldsOf, qosOptions } from '../../ui/fields';
import { Pairs } from '../../ui/pairs';
import { PropertyFields } from '../publish/property-fields';
import { Login } from './login';
import './options.css';
import { t } from '../../core/i18n/i18n';

/** Fields that are folded away by default. */
const deeper = [
  'sessionExpiryInterval',
  'receiveMaximum',
  'maximumPacketSize',
  'topicAliasMaximum',
  'userProperties',
  'authenticationMethod',
  'authenticationData',
] as const;

const controls = ({ settings, fieldErrors, edit }: Connection) =>
  fieldsOf<Settings>(settings.value, fieldErrors.value, edit);

function Session({ connection }: { connection: Connection }) {
  const { text, flag } = controls(connection);
  const settings = connection.settings.value;
  return (
    <>
      <div class="fields">
        {text(t('Session expiry (s)'), 'sessionExpiryInterval', {
          placeholder: settings.store ? '86400' : '0',
        })}
        {text(t('Receive maximum'), 'receiveMaximum')}
        {text(t('Max. packet size (B)'), 'maximumPacketSize')}
        {text(t('Topic alias maximum'), 'topicAliasMaximum')}
      </div>
      <div class="option-flags flow">
        {flag(t('Use topic aliases when sending'), 'autoAssignTopicAlias')}
        {flag(t('Ask for response information'), 'requestResponseInformation')}
        {flag(t('Ask for problem information'), 'requestProblemInformation')}
        {flag(t('Keep the session in this browser (needs a client ID)'), 'store')}
        {flag(t('Share one connection between tabs'), 'shared')}
      </div>
      <Pairs
        label={t('User properties')}
        pairs={settings.userProperties}
        error={connection.fieldErrors.value.userProperties}
        onEdit={(userProperties) => connection.edit({ userProperties })}
      />
      {!settings.login.kind && (
        <div class="fields">
          {!settings.scram && text(t('Authentication method'), 'authenticationMethod')}
          {!settings.scram && text(t('Authentication data'), 'authenticationData', { type: 'password' })}
          {flag(t('SCRAM-SHA-256 with user name and password'), 'scram')}
        </div>
      )}
    </>
  );
}

function Will({ connection }: { connection: Connection }) {
  const { will } = connection.settings.value;
  const errors = Object.fromEntries(
    Object.entries(connection.fieldErrors.value).map(([name, error]) => [name.replace('will.', ''), error]),
  );
  const edit = (changes: Partial<WillSettings>) => connection.edit({ will: { ...will, ...changes } });
  const { text, choice, flag } = fieldsOf<WillSettings>(will, errors, edit);
  return (
    <>
      <p class="empty-line">
        {t('The broker publishes it when this connection is lost. Without a topic there is none.')}
      </p>
      <div class="fields">
        {text(t('Will topic'), 'topic')}
        {text(t('Will payload'), 'payload')}
        {choice(t('Will QoS'), 'qos', qosOptions)}
        {text(t('Delay (s)'), 'willDelayInterval', { placeholder: '0' })}
        {flag(t('Retain'), 'retain', t('Retain the will'))}
      </div>
      <PropertyFields
        alias={false}
        properties={will.properties}
        errors={errors}
        onEdit={(properties) => edit({ properties })}
      />
    </>
  );
}

export function ConnectionOptions({ session: { connection } }: { session: ConsoleSession }) {
  const { text, flag } = controls(connection);
  const errors = connection.fieldErrors.value;
  const { kind, use = 'password' } = connection.settings.value.login;
  const givesPassword = kind === undefined || kind === 'authorizer';
  return (
    <div class="stack">
      <Login connection={connection} />
      <div class="fields">
        {(givesPassword || (kind === 'url' && use !== 'jwt')) && text(t('User name'), 'username')}
        {(givesPassword || (kind === 'url' && use === 'address')) &&
          text(t('Password'), 'password', { type: 'password' })}
        {text(t('Client ID'), 'clientId', { placeholder: t('random') })}
        {text(t('Keep alive (s)'), 'keepalive')}
        {flag(t('Clean start'), 'clean')}
        {flag(t('Subscribe to a topic of the page’s own'), 'ownTopic')}
      </div>
      <Disclosure title={t('Session, limits and authentication')} open={deeper.some((name) => errors[name])}>
        <Session connection={connection} />
      </Disclosure>
      <Disclosure
        title={
          <>
            {t('Last will')}
            {connection.settings.value.will.topic !== '' && <span class="tool-count chip">{t('set')}</span>}
          </>
        }
        open={Object.keys(errors).some((name) => name.startsWith('will.'))}
      >
        <Will connection={connection} />
      </Disclosure>
    </div>
  );
}
