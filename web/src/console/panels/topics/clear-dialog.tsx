import { parts, plural, t } from '../../core/i18n/i18n';
import { limits } from '../../core/limits';
import { brief } from '../../core/text';
import type { Progress } from '../../topics/clear';
import type { Clearing, Workbench } from '../../topics/workbench';
import { Button } from '../../ui/button';
import { Dialog } from '../../ui/dialog';
import { Toolbar } from '../../ui/toolbar';

const messages = (count: number) => plural(count, '{count} retained message', '{count} retained messages');

function outcome({ total, published, failed, reason }: Progress, undoing = false): string {
  const left = total - published - failed;
  return [
    t(undoing ? 'Restored {messages}.' : 'Cleared {messages}.', { messages: messages(published) }),
    failed > 0 && t('{count} failed: {reason}.', { count: failed, reason: t(reason) }),
    left > 0 &&
      t(failed === 0 && reason ? '{count} left as they were: {reason}.' : '{count} left as they were.', {
        count: left,
        reason: t(reason),
      }),
  ]
    .filter(Boolean)
    .join(' ');
}

function undoWords({ nodes, restorable }: Clearing): string {
  if (restorable === 0)
    return t('You can’t undo this: what they hold is not known here, or is too large to keep.');
  const { seconds } = limits.undo;
  if (restorable === nodes.length) return t('You can undo this for {seconds} seconds.', { seconds });
  return t(
    'You can undo this for {seconds} seconds, except for {messages}: what they hold is not known here, or is too large to keep.',
    { seconds, messages: messages(nodes.length - restorable) },
  );
}

/** Asks before it deletes anything at the broker, and reports the result. */
export function ClearDialog({ bench }: { bench: Workbench }) {
  const what = bench.clearing.value;
  if (!what) return null;
  const { progress, nodes, topic, undoing } = what;
  const working = progress !== undefined && !progress.done;
  return (
    <Dialog title={t('Clear retained messages')} onClose={bench.stopClearing}>
      {progress ? (
        <p role="status">
          {progress.done
            ? outcome(progress, undoing)
            : t('{done} of {total}…', { done: progress.published + progress.failed, total: progress.total })}
        </p>
      ) : (
        <p>
          {parts(
            'The broker forgets {messages} at and below {topic}, for everybody. New subscribers no longer get them.',
            { messages: messages(nodes.length), topic: <bdi class="mono">{brief(topic, limits.name)}</bdi> },
          )}{' '}
          {undoWords(what)}
        </p>
      )}
      {working && (
        <progress
          aria-label={undoing ? t('Restored') : t('Cleared')}
          max={progress.total}
          value={progress.published + progress.failed}
        />
      )}
      <Toolbar end>
        {!progress && (
          <Button look="stop" onClick={() => void bench.clear()}>
            {t('Clear {messages}', { messages: messages(nodes.length) })}
          </Button>
        )}
        {progress?.done && bench.cleared.value && (
          <Button onClick={() => void bench.undo()}>{t('Undo')}</Button>
        )}
        <Button onClick={bench.stopClearing}>
          {working ? t('Stop') : progress ? t('Close') : t('Cancel')}
        </Button>
      </Toolbar>
    </Dialog>
  );
}

/** What was cleared, as long as that can be undone. */
export function ClearedNotice({ bench }: { bench: Workbench }) {
  const { progress, undoing } = bench.cleared.value?.what ?? {};
  return (
    progress && (
      <p class="topics-cleared line between small-text">
        <span>{outcome(progress, undoing)}</span>
        <Button
          small
          look="link"
          onClick={() => {
            // Which gets the focus back when this is gone.
            document.querySelector<HTMLElement>('[role=tree]')?.focus();
            void bench.undo();
          }}
        >
          {t('Undo')}
        </Button>
      </p>
    )
  );
}
