import { useId, useRef, useState } from 'preact/hooks';
import { messages } from '../../core/counts';
import { mark, t } from '../../core/i18n/i18n';
import { limits } from '../../core/limits';
import { formatMoment } from '../../core/moment';
import { formatBytes, formatCount, visible } from '../../core/text';
import type { Recording } from '../../recordings/database';
import { countsOf, namesIn } from '../../recordings/jobs';
import { countOf } from '../../recordings/library';
import type { Speed } from '../../recordings/player';
import { recordingsOf } from '../../recordings/recordings';
import { Button } from '../../ui/button';
import { TextField } from '../../ui/fields';
import { Form, type FormProps, SpeedSelect } from './form';
import { Publish } from './publish';

function Show({ recording, page, onClose }: FormProps) {
  const { jobs } = page.part(recordingsOf);
  const [speed, setSpeed] = useState<Speed>(1);
  return (
    <Form
      label={t('Show in the feed')}
      go={t('Show')}
      onClose={onClose}
      onGo={() => {
        jobs.show(recording, speed);
        onClose();
      }}
    >
      <SpeedSelect value={speed} onEdit={setSpeed} />
      <p class="field-hint full wrap small-text">
        {t(
          'The messages are added to the list with their original times, marked as replayed. Nothing is published.',
        )}
        {recording.sent + recording.unsent > 0 &&
          ` ${t('To see what was sent, set Filter, Direction to Both.')}`}
      </p>
    </Form>
  );
}

function Rename({ recording, page, onClose }: FormProps) {
  const { library } = page.part(recordingsOf);
  const [name, setName] = useState(recording.name);
  return (
    <Form
      label={t('Rename')}
      go={t('Save name')}
      onClose={onClose}
      onGo={() => {
        void library.rename(recording, name);
        onClose();
      }}
    >
      <TextField label={t('Name')} value={name} onEdit={setName} />
    </Form>
  );
}

function Delete({ recording, page, onClose }: FormProps) {
  const { library } = page.part(recordingsOf);
  return (
    <Form
      label={t('Delete')}
      go={t('Delete permanently')}
      stop
      onClose={onClose}
      onGo={() => {
        // The item disappears, and the focus with it.
        document.activeElement?.closest<HTMLElement>('.recordings')?.focus();
        void library.remove(recording);
      }}
    >
      <p class="full wrap">
        {t('“{name}” and its {messages} will be permanently deleted from this browser.', {
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
  const { names, single } = namesIn(recording);
  const each = names
    .slice(0, limits.suggestions)
    .map((name) => `${visible(name) || t('unknown')}: ${formatCount(countOf(countsOf(recording, name)))}`);
  if (names.length > each.length) each.push('…');
  const facts = [
    t('{begin} to {end}', {
      begin: formatMoment(begin).slice(0, -'.000'.length),
      end: formatMoment(end).slice(0, -'.000'.length),
    }),
    messages(countOf(recording)),
    formatBytes(bytes),
    ...(single || names.length === 0 ? [broker && visible(broker)] : each),
    filter && t('only {filter}', { filter: visible(filter) }),
    lost > 0 && t('{count} lost', { count: lost }),
  ].filter(Boolean);
  return (
    <span class="recording-facts flow fine wrap across">
      {held && <span class="tag rigid">{t('being written')}</span>}
      {!held && !recording.done && (
        <span
          class="tag rigid"
          data-tone="warning"
          title={t('The page was closed before the recording was stopped')}
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

export function Item({ recording, page }: Omit<FormProps, 'onClose'>) {
  const id = useId();
  const item = useRef<HTMLLIElement>(null);
  const [open, setOpen] = useState<Action>();
  const { library, jobs } = page.part(recordingsOf);
  const held = library.held.value.has(recording.id);
  const Chosen = open && forms[open][1];
  const empty = countOf(recording) === 0;
  const name = visible(recording.name);

  function close() {
    // The form disappears, and the focus with it.
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
      <div id={`${id}-form`} class="across">
        {Chosen && <Chosen recording={recording} page={page} onClose={close} />}
      </div>
    </li>
  );
}
