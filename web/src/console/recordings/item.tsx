import type { ReadonlySignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useId, useRef, useState } from 'preact/hooks';
import type { Client } from '../../client';
import { withoutSecrets } from '../connection/settings';
import { t } from '../language/language';
import { formatBytes, formatCount, formatMoment, many, visible } from '../text';
import { Select, TextField } from '../ui/fields';
import type { Recording } from './database';
import { countFor, type Which } from './jobs';
import { countOf } from './library';
import type { Parts } from './panel';
import type { Speed } from './player';

const speeds: readonly (readonly [Speed, string])[] = [
  [1, 'as recorded'],
  [10, '10 times as fast'],
  [100, '100 times as fast'],
  [Number.POSITIVE_INFINITY, 'at once'],
];

interface FormProps {
  recording: Recording;
  parts: Parts;
  client: ReadonlySignal<Client | undefined>;
  onClose(): void;
}

function Form({
  label,
  go,
  stop = false,
  disabled = false,
  onGo,
  onClose,
  children,
}: {
  label: string;
  /** The button's text. */
  go: string;
  /** Whether it takes something away. */
  stop?: boolean;
  disabled?: boolean;
  onGo(): void;
  onClose(): void;
  children: ComponentChildren;
}) {
  return (
    <form
      class="recording-form"
      aria-label={label}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        onGo();
      }}
    >
      {children}
      <div class="recording-buttons">
        <button type="submit" class={`button ${stop ? 'stop' : 'primary'}`} disabled={disabled}>
          {go}
        </button>
        <button type="button" class="button" onClick={onClose}>
          {t('Cancel')}
        </button>
      </div>
    </form>
  );
}

function Show({ recording, parts, onClose }: FormProps) {
  const [speed, setSpeed] = useState<Speed>(1);
  return (
    <Form
      label={t('Show in the feed')}
      go="Show"
      onClose={onClose}
      onGo={() => {
        parts.jobs.show(recording, speed);
        onClose();
      }}
    >
      <Select<Speed> label={t('Speed')} class="inline" value={speed} options={speeds} onEdit={setSpeed} />
      <p class="field-hint">
        The messages come into the list with their times of then, marked as replayed. Nothing is published.
        {recording.sent + recording.unsent > 0 && ' What was sent is in sight with Filter, Direction, Both.'}
      </p>
    </Form>
  );
}

function Publish({ recording, parts, client, onClose }: FormProps) {
  const [speed, setSpeed] = useState<Speed>(1);
  const [which, setWhich] = useState<Which>(recording.received > 0 ? 'received' : 'sent');
  const broker = client.value && withoutSecrets(client.value.url);
  const count = many(countFor(recording, which), 'message');
  const choices = [
    ['received', `what was received (${formatCount(recording.received)})`],
    ['sent', `what was sent (${formatCount(recording.sent)})`],
    ['both', `both (${formatCount(countFor(recording, 'both'))})`],
  ] as const;
  return (
    <Form
      label={t('Publish again')}
      go={`Publish ${count}`}
      disabled={broker === undefined || countFor(recording, which) === 0}
      onClose={onClose}
      onGo={() => {
        parts.jobs.publish(recording, which, speed);
        onClose();
      }}
    >
      <Select<Which> label={t('Publish')} class="inline" value={which} options={choices} onEdit={setWhich} />
      <Select<Speed> label={t('Speed')} class="inline" value={speed} options={speeds} onEdit={setSpeed} />
      <p class="recording-warning">
        {broker === undefined ? (
          'Connect to a broker first.'
        ) : (
          <>
            {count} will go to <bdi class="mono">{visible(broker)}</bdi>, and to everybody who subscribes
            there: with the topic, payload, QoS, retain flag and properties of then.
          </>
        )}
      </p>
    </Form>
  );
}

function Rename({ recording, parts, onClose }: FormProps) {
  const [name, setName] = useState(recording.name);
  return (
    <Form
      label={t('Rename')}
      go="Save name"
      onClose={onClose}
      onGo={() => {
        void parts.library.rename(recording, name);
        onClose();
      }}
    >
      <TextField label={t('Name')} value={name} onEdit={setName} />
    </Form>
  );
}

function Delete({ recording, parts, onClose }: FormProps) {
  return (
    <Form
      label={t('Delete')}
      go="Delete for good"
      stop
      onClose={onClose}
      onGo={() => {
        // The item goes, and the focus would with it.
        document.activeElement?.closest<HTMLElement>('.recordings')?.focus();
        void parts.library.remove(recording);
      }}
    >
      <p>
        “{visible(recording.name)}” and its {many(countOf(recording), 'message')} are deleted from this
        browser, for good.
      </p>
    </Form>
  );
}

const forms = { 'Show in feed': Show, 'Publish again': Publish, Rename, Delete };
type Action = keyof typeof forms;

function Facts({ recording }: { recording: Recording }) {
  const { begin, end, bytes, broker, filter, lost } = recording;
  const facts = [
    `${formatMoment(begin).slice(0, -'.000'.length)} to ${formatMoment(end).slice(0, -'.000'.length)}`,
    many(countOf(recording), 'message'),
    formatBytes(bytes),
    broker && visible(broker),
    filter && `only ${visible(filter)}`,
    lost > 0 && `${formatCount(lost)} lost`,
  ].filter(Boolean);
  return (
    <span class="recording-facts">
      {facts.map((fact, index) => (
        <bdi key={index}>{fact}</bdi>
      ))}
    </span>
  );
}

export function Item({ recording, parts, client }: Omit<FormProps, 'onClose'>) {
  const id = useId();
  const item = useRef<HTMLLIElement>(null);
  const [open, setOpen] = useState<Action>();
  const { library, jobs } = parts;
  const held = library.held.value.has(recording.id);
  const Chosen = open && forms[open];
  const empty = countOf(recording) === 0;
  const name = visible(recording.name);

  function close() {
    // The form goes, and the focus would with it.
    item.current?.querySelector<HTMLElement>('[aria-expanded="true"]')?.focus();
    setOpen(undefined);
  }

  function opener(action: Action, disabled = false) {
    return (
      <button
        type="button"
        class="button small"
        aria-label={`${action}: ${name}`}
        aria-expanded={open === action}
        aria-controls={`${id}-form`}
        disabled={disabled}
        onClick={() => setOpen(open === action ? undefined : action)}
      >
        {action}
      </button>
    );
  }

  return (
    <li ref={item} class="recording">
      <span class="recording-title">
        <bdi class="recording-name">{name}</bdi>
        {held && <span class="tag">{t('being written')}</span>}
        {!held && !recording.done && (
          <span class="tag" data-tone="warning" title={t('The page went before the recording was stopped')}>
            {t('cut short')}
          </span>
        )}
      </span>
      <Facts recording={recording} />
      <span class="recording-actions">
        {opener('Show in feed', empty)}
        {opener('Publish again', empty)}
        <button
          type="button"
          class="button small"
          aria-label={`Export: ${name}`}
          disabled={empty || jobs.transfer.value !== undefined}
          onClick={() => void jobs.exportFile(recording)}
        >
          {t('Export')}
        </button>
        {opener('Rename')}
        {opener('Delete', held)}
      </span>
      <div id={`${id}-form`} class="recording-part">
        {Chosen && <Chosen recording={recording} parts={parts} client={client} onClose={close} />}
      </div>
    </li>
  );
}
