import { parts, plural, t } from '../../core/i18n/i18n';
import { limits } from '../../core/limits';
import { brief, formatCount } from '../../core/text';
import type { Progress } from '../../topics/clear';
import type { Workbench } from '../../topics/workbench';
import { Button } from '../../ui/button';
import { Dialog } from '../../ui/dialog';
import { Toolbar } from '../../ui/toolbar';

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
  const what = bench.clearing.value;
  if (!what) return null;
  const { progress, nodes, topic } = what;
  const working = progress !== undefined && !progress.done;
  return (
    <Dialog title={t('Clear retained messages')} onClose={bench.stopClearing}>
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
      <Toolbar end>
        {!progress && (
          <Button look="stop" onClick={() => void bench.clear()}>
            {t('Clear {messages}', { messages: messages(nodes.length) })}
          </Button>
        )}
        <Button onClick={bench.stopClearing}>
          {working ? t('Stop') : progress ? t('Close') : t('Cancel')}
        </Button>
      </Toolbar>
    </Dialog>
  );
}
