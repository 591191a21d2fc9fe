import { useRef, useState } from 'preact/hooks';
import { visible } from '../text';
import { Checkbox, Select, TextField } from '../ui/fields';
import { type Connection, custom, type Status } from './store';
import './connection.css';

/** None of these but the first and the last may contain the word “connected”. */
function words({ phase, attempt }: Status): string {
  if (phase !== 'reconnecting') return phase;
  return attempt === undefined ? 'reconnecting' : `reconnecting, attempt ${attempt}`;
}

export function ConnectionStatus({ connection }: { connection: Connection }) {
  const status = connection.status.value;
  return (
    <div class="status" role="status" aria-label="Connection" data-phase={status.phase}>
      <span class="status-dot" aria-hidden="true" />
      <span class="status-phase">{words(status)}</span>{' '}
      {status.url && <bdi class="status-url">{visible(status.url)}</bdi>}
    </div>
  );
}

function Notice({ connection }: { connection: Connection }) {
  const notice = connection.notice.value;
  return (
    <div class="notice-place" role="alert">
      {notice && (
        <div class="notice" data-tone={notice.tone}>
          <div class="notice-words">
            <strong>{notice.title}.</strong> {notice.advice}
            {notice.detail && <bdi class="notice-detail">{notice.detail}</bdi>}
          </div>
          <div class="notice-actions">
            {notice.retry && (
              <button type="button" class="button" onClick={() => connection.connectByDefault()}>
                Try {notice.retry.name} again
              </button>
            )}
            <button
              type="button"
              class="button icon"
              aria-label="Dismiss"
              onClick={() => connection.dismiss()}
            >
              ×
            </button>
          </div>
        </div>
      )}
    </div>
  );
}

function Options({ connection }: { connection: Connection }) {
  const settings = connection.settings.value;
  const errors = connection.fieldErrors.value;
  return (
    <div class="connection-options" id="connection-options">
      <TextField
        label="User name"
        value={settings.username}
        error={errors.username}
        onEdit={(username) => connection.edit({ username })}
      />
      <TextField
        label="Password"
        secret
        value={settings.password}
        error={errors.password}
        onEdit={(password) => connection.edit({ password })}
      />
      <TextField
        label="Client ID"
        placeholder="random"
        value={settings.clientId}
        error={errors.clientId}
        onEdit={(clientId) => connection.edit({ clientId })}
      />
      <TextField
        label="Keep alive, seconds"
        value={settings.keepalive}
        error={errors.keepalive}
        onEdit={(keepalive) => connection.edit({ keepalive })}
      />
      <Checkbox label="Clean start" checked={settings.clean} onEdit={(clean) => connection.edit({ clean })} />
    </div>
  );
}

export function ConnectionPanel({ connection }: { connection: Connection }) {
  const [open, setOpen] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const idle = connection.status.value.phase === 'disconnected';
  const errors = connection.fieldErrors.value;
  const shown = open || ['username', 'password', 'clientId', 'keepalive'].some((name) => errors[name]);
  const brokers = connection.config.value.brokers;

  function select(name: string) {
    connection.select(name);
    if (name === custom) form.current?.querySelector<HTMLInputElement>('input')?.focus();
  }

  return (
    <section class="connection" id="connection" aria-label="Broker settings">
      <form
        ref={form}
        class="connection-form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (idle) void connection.connect();
        }}
      >
        <Select
          label="Broker"
          class="connection-broker"
          value={connection.selected()}
          options={[...brokers.map(({ name }) => [name, name] as const), [custom, 'Custom'] as const]}
          onEdit={select}
        />
        <TextField
          label="Broker URL"
          class="connection-url"
          placeholder="wss://host:port/mqtt"
          value={connection.settings.value.url}
          error={errors.url}
          onEdit={(url) => connection.edit({ url })}
        />
        <div class="connection-buttons">
          <button
            type="button"
            class="button quiet"
            aria-expanded={shown}
            aria-controls="connection-options"
            onClick={() => setOpen(!shown)}
          >
            Options
          </button>
          <button
            type={idle ? 'submit' : 'button'}
            class={idle ? 'button primary' : 'button'}
            onClick={(event) => {
              if (idle) return;
              // By the time the browser acts on the click this is the submit button.
              event.preventDefault();
              connection.disconnect();
            }}
          >
            {idle ? 'Connect' : 'Disconnect'}
          </button>
        </div>
        {shown && <Options connection={connection} />}
      </form>
      <Notice connection={connection} />
    </section>
  );
}
