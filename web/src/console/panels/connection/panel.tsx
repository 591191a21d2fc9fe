import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { limits } from '../../core/limits';
import { visible } from '../../core/text';
import { nameOf } from '../../session/config';
import { type Connection, custom } from '../../session/connection';
import type { PartProps } from '../../session/page';
import { statusWords } from '../../session/phase';
import { withoutSecrets } from '../../session/settings';
import { Button, IconButton } from '../../ui/button';
import { Select, submits, TextField } from '../../ui/fields';
import { useKeptFocus } from '../../ui/kept-focus';
import { onDemand } from '../../ui/on-demand';
import './connection.css';
import { mark, t } from '../../core/i18n/i18n';

/** What unfolds below the form. */
const parts = {
  options: [mark('Options'), onDemand<PartProps>(async () => (await import('./options')).ConnectionOptions)],
  profiles: [mark('Profiles'), onDemand<PartProps>(async () => (await import('./profile-list')).ProfileList)],
  session: [mark('Session'), onDemand<PartProps>(async () => (await import('./session')).SessionFacts)],
  share: [mark('Share'), onDemand<PartProps>(async () => (await import('../share/share')).ShareLink)],
  code: [mark('Code'), onDemand<PartProps>(async () => (await import('../snippets/snippets')).Snippets)],
} as const;

export function ConnectionStatus({ connection }: { connection: Connection }) {
  const status = connection.status.value;
  // Screen readers read it out, and anybody can see it on the screen.
  const url = withoutSecrets(status.url);
  return (
    <div
      class="status line muted"
      role="status"
      aria-label={t('Connection')}
      data-phase={status.phase}
      data-edited={connection.edited.value}
    >
      <span class="status-dot rigid" aria-hidden="true" />
      <span class="status-phase nowrap bold">{statusWords(status)}</span>{' '}
      {url && <bdi class="status-url mono fine clip">{visible(url)}</bdi>}
    </div>
  );
}

function Notice({ connection }: { connection: Connection }) {
  const notice = connection.notice.value;
  // With a connection after all, the messages matter more.
  const settled = notice?.retry && connection.status.value.phase === 'connected';
  const why = notice && (
    <>
      {notice.advice}
      {notice.detail && (
        // It may scroll, and must then be reachable by keyboard.
        <bdi class="notice-detail scrolls mono fine" tabIndex={notice.detail.length > limits.notice ? 0 : -1}>
          {notice.detail}
        </bdi>
      )}
    </>
  );
  return (
    <div class="notice-place full" role="alert">
      {notice && (
        <div class="notice flow from-top box small-text" data-tone={notice.tone}>
          <div class="notice-words stretch wrap">
            <strong class={`bold ${notice.tone === 'error' ? 'bad' : 'warn'}`}>
              {t('{title}.', { title: notice.title })}
            </strong>{' '}
            {settled ? (
              <details class="notice-more">
                <summary class="muted">{t('Why?')}</summary>
                {why}
              </details>
            ) : (
              why
            )}
          </div>
          <div class="notice-actions line tight end rigid">
            {notice.again && <Button onClick={() => notice.again?.()}>{t('Try again')}</Button>}
            {notice.retry && (
              <Button onClick={() => connection.connectByDefault()}>
                {t('Try {broker} again', { broker: nameOf(notice.retry) })}
              </Button>
            )}
            <IconButton label={t('Dismiss')} onClick={() => connection.dismiss()} />
          </div>
        </div>
      )}
    </div>
  );
}

/** The remaining time until the next attempt. */
function Countdown({ connection }: { connection: Connection }) {
  const { phase, nextAt = 0 } = connection.status.value;
  const [now, setNow] = useState(Date.now);
  const waits = phase === 'reconnecting' && nextAt > now;
  useEffect(() => {
    if (phase !== 'reconnecting' || nextAt === 0) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [phase, nextAt]);
  if (!waits) return null;
  return (
    <div class="line roomy small-text full">
      {/* A timer is not read out each time it changes. */}
      <span role="timer">
        {t('Next attempt in {seconds} s', { seconds: Math.ceil((nextAt - now) / 1000) })}
      </span>
      <Button small onClick={() => connection.tryNow()}>
        {t('Try now')}
      </Button>
    </div>
  );
}

/** Notices about the connection, below the bar. */
export function ConnectionNotes({ connection }: { connection: Connection }) {
  return (
    <>
      <Countdown connection={connection} />
      <Notice connection={connection} />
    </>
  );
}

/** The parts behind the button "Settings". */
function Sheet({ page, session }: PartProps) {
  const id = useId();
  const sheet = useRef<HTMLDivElement>(null);
  const [shown, setShown] = useState(false);
  const wrong = Object.keys(session.connection.fieldErrors.value).some((name) => name !== 'url');
  const [open, setOpen] = useState<keyof typeof parts>('options');
  const Part = parts[open][1];
  useEffect(() => {
    if (!wrong) return;
    setOpen('options');
    sheet.current?.showPopover();
  }, [wrong]);
  return (
    <>
      <Button look="quiet" popovertarget={id} aria-expanded={shown}>
        {t('Settings')}
      </Button>
      <div
        ref={sheet}
        id={id}
        popover="auto"
        class="connection-sheet raised"
        onToggle={({ newState }) => setShown(newState === 'open')}
      >
        <div class="connection-tools flow">
          {(Object.keys(parts) as (keyof typeof parts)[]).map((name) => (
            <Button
              look="quiet"
              key={name}
              aria-expanded={open === name}
              aria-controls={`${id}-part`}
              onClick={() => setOpen(name)}
            >
              {t(parts[name][0])}
            </Button>
          ))}
        </div>
        <div class="connection-part unless-empty" id={`${id}-part`}>
          {shown && <Part page={page} session={session} />}
        </div>
      </div>
    </>
  );
}

export function ConnectionPanel({ page, session }: PartProps) {
  const { connection } = session;
  const form = useRef<HTMLFormElement>(null);
  useKeptFocus(form, '.connection-form > button');
  const { url } = connection.settings.value;
  const idle = connection.status.value.phase === 'disconnected';
  const other = connection.edited.value;
  const errors = connection.fieldErrors.value;
  const brokers = connection.config.value.brokers;

  function select(name: string) {
    connection.select(name);
    if (name === custom) form.current?.querySelector<HTMLInputElement>('input')?.focus();
  }

  return (
    <section class="connection" id="connection" aria-label={t('Broker settings')}>
      <form
        ref={form}
        class="connection-form line"
        noValidate
        onSubmit={submits(() => {
          if (idle || other) void connection.connect();
        })}
      >
        <Select
          label={t('Broker')}
          class="connection-broker"
          value={connection.selected()}
          options={[
            ...brokers.map((broker) => [broker.name, nameOf(broker)] as const),
            [custom, t('Custom')] as const,
          ]}
          onEdit={select}
        />
        <TextField
          label={t('Broker URL')}
          class="connection-url"
          placeholder={t('wss://host:port/mqtt')}
          value={url}
          error={errors.url}
          onEdit={(url) => connection.edit({ url })}
        />
        {(idle || other) && (
          <Button type="submit" look="primary">
            {t('Connect')}
          </Button>
        )}
        {!idle && (
          <Button
            look={other ? 'quiet' : undefined}
            onClick={(event) => {
              // When the browser acts on the click, another button may be in its place.
              event.preventDefault();
              connection.disconnect();
            }}
          >
            {t('Disconnect')}
          </Button>
        )}
        <Sheet page={page} session={session} />
      </form>
    </section>
  );
}
