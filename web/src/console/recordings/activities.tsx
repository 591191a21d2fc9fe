/** What goes on: also behind a closed list. */

import type { ComponentChildren } from 'preact';
import { t } from '../language/language';
import { formatBytes, formatCount, many, visible } from '../text';
import type { Recording as Recorded } from './database';
import { useFocusOnReturn } from './focus';
import type { Job } from './jobs';
import { countOf } from './library';
import type { Parts } from './panel';

function Activity({
  text,
  part,
  children,
}: {
  text: ComponentChildren;
  /** From 0 to 1; missing where there is no end to see. */
  part?: number;
  children: ComponentChildren;
}) {
  return (
    <div class="activity">
      <span class="activity-text">{text}</span>
      <span class="activity-buttons">{children}</span>
      {part !== undefined && <progress aria-label={t('Done')} max={1} value={part} />}
    </div>
  );
}

function Recording({ recording, written }: { recording: Parts['recording']; written: Recorded }) {
  const button = useFocusOnReturn();
  const { name, filter, bytes, lost } = written;
  return (
    <Activity
      text={
        <>
          <span class="activity-dot" aria-hidden="true" />
          Recording <bdi>{filter ? visible(filter) : t('everything')}</bdi> as <bdi>“{visible(name)}”</bdi>:{' '}
          {many(countOf(written), 'message')}, {formatBytes(bytes)}
          {lost > 0 && (
            <strong class="activity-lost">, {formatCount(lost)} lost: they came too fast for the disk</strong>
          )}
        </>
      }
    >
      <button ref={button} type="button" class="button small stop" onClick={() => void recording.stop()}>
        {t('Stop recording')}
      </button>
    </Activity>
  );
}

function wordsFor({ recording, player, total, again }: Job): string {
  const { phase, done, problem } = player.playing.value;
  const of = `${formatCount(done)} of ${many(total, 'message')}`;
  const what = again
    ? `Publishing “${visible(recording.name)}” to ${visible(again.broker)}`
    : `Showing “${visible(recording.name)}” in the feed`;
  const failed = again?.outcome.value.failed ?? 0;
  const failures = failed > 0 ? `, ${formatCount(failed)} failed: ${again?.outcome.value.reason}` : '';
  switch (phase) {
    case 'playing':
      return `${what}: ${of}${failures}`;
    case 'paused':
      return `${what}: paused at ${of}${failures}`;
    case 'ended':
      return `${what}: all ${many(total, 'message')}${failures}.`;
    case 'stopped':
      return `${what}: stopped after ${of}${failures}.`;
    case 'failed':
      return `${what}: ended after ${of}${failures}. ${problem}.`;
  }
}

function Replay({ jobs }: Parts) {
  const job = jobs.job.value;
  if (!job) return null;
  const { player, total } = job;
  const { phase, done } = player.playing.value;
  const going = phase === 'playing' || phase === 'paused';
  return (
    <Activity
      text={
        // A count every frame would talk over everything else.
        <span role="status" aria-label={t('Replay')} aria-live={phase === 'playing' ? 'off' : 'polite'}>
          {wordsFor(job)}
        </span>
      }
      {...(going && { part: total === 0 ? 1 : done / total })}
    >
      {going && (
        <button type="button" class="button small" onClick={() => player.pause(phase === 'playing')}>
          {phase === 'playing' ? t('Pause replay') : t('Resume replay')}
        </button>
      )}
      {going ? (
        <button type="button" class="button small stop" onClick={player.stop}>
          {t('Stop replay')}
        </button>
      ) : (
        <button
          type="button"
          class="button icon"
          aria-label={t('Put away the replay')}
          onClick={jobs.dismiss}
        >
          ×
        </button>
      )}
    </Activity>
  );
}

function File({ jobs }: Parts) {
  const transfer = jobs.transfer.value;
  if (!transfer) return null;
  const { what, name, part } = transfer;
  return (
    <Activity
      text={
        <>
          {what} <bdi>“{visible(name)}”</bdi>…
        </>
      }
      part={part}
    >
      <button type="button" class="button small stop" onClick={jobs.stopTransfer}>
        {t('Stop')}
      </button>
    </Activity>
  );
}

function Mistakes({ jobs }: Parts) {
  const { wrong, first } = jobs.mistakes.value;
  if (wrong === 0) return null;
  const more = wrong - first.length;
  return (
    <details class="recordings-mistakes">
      <summary>{many(wrong, 'line')} of the file left out</summary>
      <ul aria-label={t('Lines left out')}>
        {first.map((mistake) => (
          <li key={mistake}>{mistake}</li>
        ))}
        {more > 0 && <li>… and {formatCount(more)} more</li>}
      </ul>
    </details>
  );
}

export function Activities({ parts }: { parts: Parts }) {
  const { problem, said } = parts.library;
  const recorder = parts.recording.recorder.value;
  return (
    <>
      {recorder && <Recording recording={parts.recording} written={recorder.written.value} />}
      <Replay {...parts} />
      <File {...parts} />
      {problem.value && (
        <p class="recordings-problem" role="alert">
          <span>{problem.value}</span>
          <button
            type="button"
            class="button icon"
            aria-label={t('Put away')}
            onClick={() => {
              problem.value = '';
            }}
          >
            ×
          </button>
        </p>
      )}
      <p class="recordings-said" role="status" aria-label={t('Recordings')}>
        {said.value}
      </p>
      <Mistakes {...parts} />
    </>
  );
}
