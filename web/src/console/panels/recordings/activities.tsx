/** Activities, which continue behind a closed list. */

import type { ComponentChildren } from 'preact';
import { messages } from '../../core/counts';
import { mark, parts, plural, t } from '../../core/i18n/i18n';
import { formatBytes, visible } from '../../core/text';
import type { Recording as Recorded } from '../../recordings/database';
import type { Job } from '../../recordings/jobs';
import { countOf } from '../../recordings/library';
import type { Recordings } from '../../recordings/recordings';
import { Button, IconButton } from '../../ui/button';
import { Disclosure } from '../../ui/disclosure';

function Activity({
  text,
  part,
  children,
}: {
  text: ComponentChildren;
  /** From 0 to 1; missing if the end is not known. */
  part?: number;
  children: ComponentChildren;
}) {
  return (
    <div class="activity flow">
      <span class="stretch wrap">{text}</span>
      <span class="flow">{children}</span>
      {part !== undefined && <progress class="full" aria-label={t('Done')} max={1} value={part} />}
    </div>
  );
}

function Recording({ recording, written }: { recording: Recordings['recording']; written: Recorded }) {
  const { name, filter, bytes, lost } = written;
  return (
    <Activity
      text={
        <>
          <span class="activity-dot" aria-hidden="true" />
          {parts('Recording {filter} as {name}: {messages}, {size}', {
            filter: <bdi>{filter ? visible(filter) : t('everything')}</bdi>,
            name: <bdi>“{visible(name)}”</bdi>,
            messages: messages(countOf(written)),
            size: formatBytes(bytes),
          })}
          {lost > 0 && (
            <strong class="bad">
              {t(', {count} lost: they came too fast for the disk', { count: lost })}
            </strong>
          )}
        </>
      }
    >
      <Button small look="stop" class="recording-switch" onClick={() => void recording.stop()}>
        {t('Stop recording')}
      </Button>
    </Activity>
  );
}

const phases = {
  playing: mark('{what}: {progress}{failures}'),
  paused: mark('{what}: paused at {progress}{failures}'),
  ended: mark('{what}: all {messages}{failures}.'),
  stopped: mark('{what}: stopped after {progress}{failures}.'),
  failed: mark('{what}: ended after {progress}{failures}. {problem}.'),
};

function wordsFor({ recording, player, total, again }: Job): string {
  const { phase, done, problem } = player.playing.value;
  const all = messages(total);
  const progress = t('{done} of {messages}', { done, messages: all });
  const name = visible(recording.name);
  const what = again
    ? t('Publishing “{name}” to {broker}', { name, broker: visible(again.broker) })
    : t('Showing “{name}” in the feed', { name });
  const { failed = 0, reason = '' } = again?.outcome.value ?? {};
  const failures = failed > 0 ? t(', {count} failed: {reason}', { count: failed, reason }) : '';
  return t(phases[phase], { what, progress, failures, problem, messages: all });
}

function Replay({ jobs }: Recordings) {
  const job = jobs.job.value;
  if (!job) return null;
  const { player, total } = job;
  const { phase, done } = player.playing.value;
  const going = phase === 'playing' || phase === 'paused';
  return (
    <Activity
      text={
        // Not announced while playing: it changes every frame.
        <span role="status" aria-label={t('Replay')} aria-live={phase === 'playing' ? 'off' : 'polite'}>
          {wordsFor(job)}
        </span>
      }
      {...(going && { part: total === 0 ? 1 : done / total })}
    >
      {going && (
        <Button small onClick={() => player.pause(phase === 'playing')}>
          {phase === 'playing' ? t('Pause replay') : t('Resume replay')}
        </Button>
      )}
      {going ? (
        <Button small look="stop" onClick={player.stop}>
          {t('Stop replay')}
        </Button>
      ) : (
        <IconButton label={t('Close replay')} onClick={jobs.dismiss} />
      )}
    </Activity>
  );
}

function File({ jobs }: Recordings) {
  const transfer = jobs.transfer.value;
  if (!transfer) return null;
  const { what, name, part } = transfer;
  return (
    <Activity
      text={parts(what === 'Exporting' ? 'Exporting {name}…' : 'Importing {name}…', {
        name: <bdi>“{visible(name)}”</bdi>,
      })}
      part={part}
    >
      <Button small look="stop" onClick={jobs.stopTransfer}>
        {t('Stop')}
      </Button>
    </Activity>
  );
}

function Mistakes({ jobs }: Recordings) {
  const { wrong, first } = jobs.mistakes.value;
  if (wrong === 0) return null;
  const more = wrong - first.length;
  return (
    <Disclosure
      title={plural(wrong, '{count} line of the file left out', '{count} lines of the file left out')}
    >
      <ul class="muted wrap" aria-label={t('Lines left out')}>
        {first.map((mistake, n) => (
          <li key={n}>{mistake()}</li>
        ))}
        {more > 0 && <li>{t('… and {count} more', { count: more })}</li>}
      </ul>
    </Disclosure>
  );
}

export function Activities({ recordings }: { recordings: Recordings }) {
  const { problem, said } = recordings.library;
  const recorder = recordings.recording.recorder.value;
  return (
    <>
      {recorder && <Recording recording={recordings.recording} written={recorder.written.value} />}
      <Replay {...recordings} />
      <File {...recordings} />
      {problem.value && (
        <p class="from-top between alarm line" role="alert">
          <span>{problem.value}</span>
          <IconButton
            label={t('Dismiss')}
            onClick={() => {
              problem.value = '';
            }}
          />
        </p>
      )}
      <p class="unless-empty" role="status" aria-label={t('Recordings')}>
        {said.value}
      </p>
      <Mistakes {...recordings} />
    </>
  );
}
