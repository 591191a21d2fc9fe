/** The history of a topic, and what changed from one value to the next. */

import { useMemo, useState } from 'preact/hooks';
import { language, t } from '../../core/i18n/i18n';
import { limits } from '../../core/limits';
import { formatBytes, formatCount, formatTime } from '../../core/text';
import { changeOf, type Piece } from '../../topics/diff';
import type { History, Past } from '../../topics/history';
import { lineOf } from '../../topics/preview';
import type { Workbench } from '../../topics/workbench';
import './changes.css';

const tags = { same: 'span', gone: 'del', new: 'ins' } as const;
const signs = { same: ' ', gone: '−', new: '+' } as const;

/** Each line with its sign. */
function signed(kind: Piece['kind'], text: string): string {
  return `${text.replace(/^/gm, `${signs[kind]} `)}\n`;
}

function Diff({ before, after }: { before: Past; after: Past }) {
  const change = useMemo(() => changeOf(before, after), [before, after, language.value]);
  if (change === 'too large')
    return <p class="empty-line">{t('Too large to compare with the one before.')}</p>;
  if (change === 'too different')
    return <p class="empty-line">{t('Too different to compare with the one before.')}</p>;
  const { byLines, pieces } = change;
  if (pieces.length === 0) return <p class="empty-line">{t('The same value as before.')}</p>;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for controls
    <pre
      class="topics-text topics-diff"
      data-lines={byLines}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the keyboard has to reach that
      tabIndex={0}
      role="group"
      aria-label={t('What changed')}
    >
      {pieces.map(({ kind, text }, index) => {
        const Tag = tags[kind];
        return <Tag key={index}>{byLines ? signed(kind, text) : text}</Tag>;
      })}
    </pre>
  );
}

export function Changes({ bench, history }: { bench: Workbench; history: History }) {
  // Undefined: the newest, whichever that is.
  const [picked, setPicked] = useState<number>();
  bench.tick.value;
  const { values } = history;
  const found = values.findIndex(({ number }) => number === picked);
  const at = found < 0 ? values.length - 1 : found;
  const after = values[at];
  const before = values[at - 1];
  if (!after) return <p class="empty-line">{t('The next values appear here, with what changed.')}</p>;
  return (
    <>
      {before ? (
        <Diff before={before} after={after} />
      ) : (
        <p class="empty-line">{t('Nothing earlier to compare with.')}</p>
      )}
      <ol class="topics-history" aria-label={t('History')}>
        {values.toReversed().map((value) => (
          <li key={value.number}>
            <button
              type="button"
              aria-pressed={value === after}
              onClick={() => setPicked(value === values.at(-1) ? undefined : value.number)}
            >
              <time>{formatTime(value.at)}</time>
              <bdi class="topics-history-value">{lineOf(value.payload, value.size)}</bdi>
              <span>{formatBytes(value.size)}</span>
            </button>
          </li>
        ))}
      </ol>
      {values.length >= limits.history.values && (
        <p class="empty-line">{t('The last {count} values.', { count: formatCount(values.length) })}</p>
      )}
    </>
  );
}
