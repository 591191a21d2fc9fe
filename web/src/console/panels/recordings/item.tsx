import type { ComponentChildren } from 'preact';
import { useId, useRef, useState } from 'preact/hooks';
import { messages } from '../../core/counts';
import { mark, parts, t } from '../../core/i18n/i18n';
import { formatBytes, formatCount, formatMoment, visible } from '../../core/text';
import type { Recording } from '../../recordings/database';
import { countFor, type Which } from '../../recordings/jobs';
import { countOf } from '../../recordings/library';
import type { Speed } from '../../recordings/player';
import type { Recordings } from '../../recordings/recordings';
import type { Page } from '../../session/page';
import { withoutSecrets } from '../../session/settings';
import { Button } from '../../ui/button';
import { Select, submits, TextField, translated } from '../../ui/fields';

const speeds: readonly (readonly [Speed, string])[] = [
  [1, mark('as recorded')],
  [10, mark('10 times as fast')],
  [100, mark('100 times as fast')],
  [Number.POSITIVE_INFINITY, mark('at once')],
];

interface FormProps {
  recording: Recording;
  recordings: Recordings;
  page: Page;
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
    <form class="recording-form flow" aria-label={label} noValidate onSubmit={submits(onGo)}>
      {children}
      <div class="flow">
        <Button type="submit" look={stop ? 'stop' : 'primary'} disabled={disabled}>
          {go}
        </Button>
        <Button onClick={onClose}>{t('Cancel')}</Button>
      </div>
    </form>
  );
}

function Show({ recording, recordings, onClose }: FormProps) {
  const [speed, setSpeed] = useState<Speed>(1);
  return (
    <Form
      label={t('Show in the feed')}
      go={t('Show')}
      onClose={onClose}
      onGo={() => {
        recordings.jobs.show(recording, speed);
        onClose();
      }}
    >
      <Select<Speed>
        label={t('Speed')}
        class="inline"
        value={speed}
        options={translated(speeds)}
        onEdit={setSpeed}
      />
      <p class="field-hint wrap">
        {t(
          'The messages come into the list with their times of then, marked as replayed. Nothing is published.',
        )}
        {recording.sent + recording.unsent > 0 &&
          ` ${t('What was sent is in sight with Filter, Direction, Both.')}`}
      </p>
    </Form>
  );
}

function Warning({ broker, count }: { broker: string | undefined; count: string }) {
  return (
    <p>
      {broker === undefined
        ? t('Connect to a broker first.')
        : parts(
            '{messages} will go to {broker}, and to everybody who subscribes there: with the topic, payload, QoS, retain flag and properties that it came with.',
            { messages: count, broker: <bdi class="mono">{visible(broker)}</bdi> },
          )}
    </p>
  );
}

/** To the connection that was shown when the form was opened, unless another one is chosen. */
function Publish({ recording, recordings, page, onClose }: FormProps) {
  const list = page.sessions.list.value;
  const [chosen, setChosen] = useState(page.sessions.active.peek());
  const session = list.includes(chosen) ? chosen : undefined;
  const [speed, setSpeed] = useState<Speed>(1);
  const [which, setWhich] = useState<Which>(recording.received > 0 ? 'received' : 'sent');
  const url = session?.client.value?.url;
  const broker = url && withoutSecrets(url);
  const count = messages(countFor(recording, which));
  const choices = [
    ['received', t('what was received ({count})', { count: formatCount(recording.received) })],
    ['sent', t('what was sent ({count})', { count: formatCount(recording.sent) })],
    ['both', t('both ({count})', { count: formatCount(countFor(recording, 'both')) })],
  ] as const;
  return (
    <Form
      label={t('Publish again')}
      go={t('Publish {messages}', { messages: count })}
      disabled={broker === undefined || countFor(recording, which) === 0}
      onClose={onClose}
      onGo={() => {
        if (session) recordings.jobs.publish(recording, session, which, speed);
        onClose();
      }}
    >
      {(list.length > 1 || !session) && (
        <Select<number>
          label={t('Connection')}
          class="inline"
          value={session?.id ?? 0}
          options={[
            ...(session ? [] : [[0, t('closed')] as const]),
            ...list.map(({ id, name }) => [id, visible(name.value)] as const),
          ]}
          onEdit={(id) => setChosen(list.find((one) => one.id === id) ?? chosen)}
        />
      )}
      <Select<Which> label={t('Publish')} class="inline" value={which} options={choices} onEdit={setWhich} />
      <Select<Speed>
        label={t('Speed')}
        class="inline"
        value={speed}
        options={translated(speeds)}
        onEdit={setSpeed}
      />
      <Warning broker={broker} count={count} />
    </Form>
  );
}

function Rename({ recording, recordings, onClose }: FormProps) {
  const [name, setName] = useState(recording.name);
  return (
    <Form
      label={t('Rename')}
      go={t('Save name')}
      onClose={onClose}
      onGo={() => {
        void recordings.library.rename(recording, name);
        onClose();
      }}
    >
      <TextField label={t('Name')} value={name} onEdit={setName} />
    </Form>
  );
}

function Delete({ recording, recordings, onClose }: FormProps) {
  return (
    <Form
      label={t('Delete')}
      go={t('Delete for good')}
      stop
      onClose={onClose}
      onGo={() => {
        // The item goes, and the focus would with it.
        document.activeElement?.closest<HTMLElement>('.recordings')?.focus();
        void recordings.library.remove(recording);
      }}
    >
      <p>
        {t('“{name}” and its {messages} are deleted from this browser, for good.', {
          name: visible(recording.name),
          messages: messages(countOf(recording)),
        })}
      </p>
    </Form>
  );
}

const forms = {
  show: [mark('Show in feed'), Show],
  publish: [mark('Publish again'), Publish],
  rename: [mark('Rename'), Rename],
  remove: [mark('Delete'), Delete],
} as const;
type Action = keyof typeof forms;

function Facts({ recording, held }: { recording: Recording; held: boolean }) {
  const { begin, end, bytes, broker, filter, lost } = recording;
  const facts = [
    t('{begin} to {end}', {
      begin: formatMoment(begin).slice(0, -'.000'.length),
      end: formatMoment(end).slice(0, -'.000'.length),
    }),
    messages(countOf(recording)),
    formatBytes(bytes),
    broker && visible(broker),
    filter && t('only {filter}', { filter: visible(filter) }),
    lost > 0 && t('{count} lost', { count: formatCount(lost) }),
  ].filter(Boolean);
  return (
    <span class="recording-facts flow fine wrap">
      {held && <span class="tag rigid">{t('being written')}</span>}
      {!held && !recording.done && (
        <span
          class="tag rigid"
          data-tone="warning"
          title={t('The page went before the recording was stopped')}
        >
          {t('cut short')}
        </span>
      )}
      {facts.map((fact, index) => (
        <bdi key={index}>{fact}</bdi>
      ))}
    </span>
  );
}

export function Item({ recording, recordings, page }: Omit<FormProps, 'onClose'>) {
  const id = useId();
  const item = useRef<HTMLLIElement>(null);
  const [open, setOpen] = useState<Action>();
  const { library, jobs } = recordings;
  const held = library.held.value.has(recording.id);
  const Chosen = open && forms[open][1];
  const empty = countOf(recording) === 0;
  const name = visible(recording.name);

  function close() {
    // The form goes, and the focus would with it.
    item.current?.querySelector<HTMLElement>('[aria-expanded="true"]')?.focus();
    setOpen(undefined);
  }

  function opener(action: Action, disabled = false) {
    const label = t(forms[action][0]);
    return (
      <Button
        small
        aria-label={t('{action}: {name}', { action: label, name })}
        aria-expanded={open === action}
        aria-controls={`${id}-form`}
        disabled={disabled}
        onClick={() => setOpen(open === action ? undefined : action)}
      >
        {label}
      </Button>
    );
  }

  return (
    <li ref={item} class="recording">
      <bdi class="bold clip">{name}</bdi>
      <Facts recording={recording} held={held} />
      <span class="recording-actions flow tight">
        {opener('show', empty)}
        {opener('publish', empty)}
        <Button
          small
          aria-label={t('{action}: {name}', { action: t('Export'), name })}
          disabled={empty || jobs.transfer.value !== undefined}
          onClick={() => void jobs.exportFile(recording)}
        >
          {t('Export')}
        </Button>
        {opener('rename')}
        {opener('remove', held)}
      </span>
      <div id={`${id}-form`} class="recording-part">
        {Chosen && <Chosen recording={recording} recordings={recordings} page={page} onClose={close} />}
      </div>
    </li>
  );
}
