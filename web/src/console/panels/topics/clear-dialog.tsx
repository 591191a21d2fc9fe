import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { parts, plural, t } from '../../core/i18n/i18n';
import { limits } from '../../core/limits';
import { brief, formatCount } from '../../core/text';
import type { Progress } from '../../topics/clear';
import type { Workbench } from '../../topics/workbench';
import './clear-dialog.css';

const messages = (count: number) =>
  plural(count, '{count} retained message', '{count} retained messages', formatCount(count));

function outcome({ total, cleared, failed, reason }: Progress): string {
  const left = total - cleared - failed;
  return [
    t('Cleared {messages}.', { messages: messages(cleared) }),
    failed > 0 && t('{count} failed: {reason}.', { count: formatCount(failed), reason }),
    left > 0 &&
      t(failed === 0 && reason ? '{count} left as they were: {reason}.' : '{count} left as they were.', {
        count: formatCount(left),
        reason,
      }),
  ]
    .filter(Boolean)
    .join(' ');
}

/** Asks before it takes anything from the broker, and tells how it went. */
export function ClearDialog({ bench }: { bench: Workbench }) {
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const what = bench.clearing.value;
  const open = what !== undefined;

  useLayoutEffect(() => {
    if (open) dialog.current?.showModal();
  }, [open]);

  if (!what) return null;
  const { progress, nodes, topic } = what;
  const working = progress !== undefined && !progress.done;
  return (
    <dialog
      ref={dialog}
      class="topics-dialog"
      aria-labelledby={`${id}-title`}
      onCancel={(event) => {
        event.preventDefault();
        bench.stopClearing();
      }}
    >
      <h3 id={`${id}-title`}>{t('Clear retained messages')}</h3>
      {progress ? (
        <p role="status">
          {progress.done
            ? outcome(progress)
            : t('{done} of {total}…', {
                done: formatCount(progress.cleared + progress.failed),
                total: formatCount(progress.total),
              })}
        </p>
      ) : (
        <p>
          {parts(
            'The broker forgets {messages} at and below {topic}, for everybody. New subscribers no longer get them.',
            { messages: messages(nodes.length), topic: <bdi class="mono">{brief(topic, limits.name)}</bdi> },
          )}
        </p>
      )}
      {working && (
        <progress aria-label={t('Cleared')} max={progress.total} value={progress.cleared + progress.failed} />
      )}
      <div class="topics-dialog-buttons">
        {!progress && (
          <button type="button" class="button stop" onClick={() => void bench.clear()}>
            {t('Clear {messages}', { messages: messages(nodes.length) })}
          </button>
        )}
        <button type="button" class="button" onClick={bench.stopClearing}>
          {working ? t('Stop') : progress ? t('Close') : t('Cancel')}
        </button>
      </div>
    </dialog>
  );
}
