/** The history of a topic, and what changed from one value to the next. */

import { useMemo, useState } from 'preact/hooks';
import { t } from '../../core/i18n/i18n';
import { limits } from '../../core/limits';
import { formatBytes, formatTime } from '../../core/text';
import type { Session } from '../../session/session';
import type { History, Past } from '../../topics/history';
import { type TopicNode, topicOf } from '../../topics/model';
import type { Workbench } from '../../topics/workbench';
import { Brief, usePreview } from '../../ui/brief';
import { PayloadView } from '../../ui/payload/view';
import './changes.css';

const messageOf = (node: TopicNode, past: Past) => ({
  topic: topicOf(node),
  payload: past.payload,
  properties: node.last?.properties ?? {},
});

function Then({ past, node, session }: { past: Past; node: TopicNode; session: Session }) {
  const message = useMemo(() => messageOf(node, past), [past]);
  const preview = usePreview(message, session.choices.recall, () =>
    session.birthBefore({ topic: message.topic, receivedAt: past.at }),
  );
  return (
    <span class="line tight">
      <Brief class="" preview={preview} />
    </span>
  );
}

interface Props {
  bench: Workbench;
  session: Session;
  history: History;
}

export function Changes({ bench, session, history }: Props) {
  // Undefined: the newest, whichever that is.
  const [picked, setPicked] = useState<number>();
  bench.tick.value;
  const { values } = history;
  const found = values.findIndex(({ number }) => number === picked);
  const at = found < 0 ? values.length - 1 : found;
  const after = values[at];
  const before = values[at - 1];
  const { node } = history;
  const read = (past: Past | undefined) => useMemo(() => past && messageOf(node, past), [past]);
  const [from, to] = [read(before), read(after)];
  const whole = [before, after].every((past) => past && past.size === past.payload.length);
  const since = useMemo(() => from && { before: from, whole }, [from, whole]);
  if (!after) return <p class="empty-line">{t('The next values appear here, with what changed.')}</p>;
  return (
    <>
      {to && since ? (
        <PayloadView choices={session.choices} message={to} since={since} />
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
              <Then {...{ past: value, node, session }} />
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
