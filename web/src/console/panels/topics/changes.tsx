/** The history of a topic, and what changed from one value to the next. */

import { useMemo, useState } from 'preact/hooks';
import { t } from '../../core/i18n/i18n';
import { limits } from '../../core/limits';
import { formatBytes, formatTime } from '../../core/text';
import type { Choices } from '../../payload/choices';
import type { History, Past } from '../../topics/history';
import { topicOf } from '../../topics/model';
import { lineOf } from '../../topics/preview';
import type { Workbench } from '../../topics/workbench';
import { PayloadView } from '../../ui/payload/view';
import './changes.css';

interface Props {
  bench: Workbench;
  choices: Choices;
  history: History;
}

export function Changes({ bench, choices, history }: Props) {
  // Undefined: the newest, whichever that is.
  const [picked, setPicked] = useState<number>();
  bench.tick.value;
  const { values } = history;
  const found = values.findIndex(({ number }) => number === picked);
  const at = found < 0 ? values.length - 1 : found;
  const after = values[at];
  const before = values[at - 1];
  const { node } = history;
  const read = (past: Past | undefined) =>
    past && { topic: topicOf(node), payload: past.payload, properties: node.last?.properties ?? {} };
  const [from, to] = [useMemo(() => read(before), [before]), useMemo(() => read(after), [after])];
  const whole = [before, after].every((past) => past && past.size === past.payload.length);
  const since = useMemo(() => from && { before: from, whole }, [from, whole]);
  if (!after) return <p class="empty-line">{t('The next values appear here, with what changed.')}</p>;
  return (
    <>
      {to && since ? (
        <PayloadView choices={choices} message={to} since={since} />
      ) : (
        <p class="empty-line">{t('Nothing earlier to compare with.')}</p>
      )}
      <ol class="topics-history full" aria-label={t('History')}>
        {values.toReversed().map((value) => (
          <li key={value.number}>
            <button
              type="button"
              class="item full"
              aria-pressed={value === after}
              onClick={() => setPicked(value === values.at(-1) ? undefined : value.number)}
            >
              <time class="mono fine">{formatTime(value.at)}</time>
              <bdi class="topics-history-value clip">{lineOf(value.payload, value.size)}</bdi>
              <span class="fine">{formatBytes(value.size)}</span>
            </button>
          </li>
        ))}
      </ol>
      {values.length >= limits.history.values && (
        <p class="empty-line">{t('The last {count} values.', { count: values.length })}</p>
      )}
    </>
  );
}
