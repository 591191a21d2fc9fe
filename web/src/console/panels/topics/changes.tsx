/** The history of a topic, and what changed from one value to the next. */

import { useMemo, useState } from 'preact/hooks';
import { language, t } from '../../core/i18n/i18n';
import { formatBytes, formatCount, formatTime } from '../../core/text';
import { diffLines, diffWords, type Piece } from '../../topics/diff';
import { type History, maxValue, maxValues, type Past } from '../../topics/history';
import { lineOf, shownOf } from '../../topics/preview';
import type { Workbench } from '../../topics/workbench';
import './changes.css';

/** Unchanged lines shown around a change. */
const context = 2;

interface Change {
  byLines: boolean;
  pieces: Piece[];
}

function changeOf(before: Past, after: Past): Change {
  const texts = [before, after].map(({ payload }) => shownOf(payload, maxValue).text);
  const [from = '', to = ''] = texts;
  const byLines = from.includes('\n') || to.includes('\n');
  return { byLines, pieces: byLines ? around(diffLines(from, to)) : diffWords(from, to) };
}

/** Without the lines far from any change. */
function around(pieces: Piece[]): Piece[] {
  const near = new Uint8Array(pieces.length);
  pieces.forEach(({ kind }, at) => {
    if (kind !== 'same') near.fill(1, Math.max(0, at - context), at + context + 1);
  });
  const out: Piece[] = [];
  let left = 0;
  pieces.forEach((piece, at) => {
    if (near[at]) {
      if (left > 0) out.push({ kind: 'same', text: t('⋯ {count} the same', { count: formatCount(left) }) });
      left = 0;
      out.push(piece);
    } else left++;
  });
  if (left > 0) out.push({ kind: 'same', text: t('⋯ {count} the same', { count: formatCount(left) }) });
  return out;
}

const tags = { same: 'span', gone: 'del', new: 'ins' } as const;
const signs = { same: ' ', gone: '−', new: '+' } as const;

function Diff({ before, after }: { before: Past; after: Past }) {
  const { byLines, pieces } = useMemo(() => changeOf(before, after), [before, after, language.value]);
  if (pieces.every(({ kind }) => kind === 'same')) {
    return <p class="empty-line">{t('The same value as before.')}</p>;
  }
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
        return <Tag key={index}>{byLines ? `${signs[kind]} ${text}\n` : text}</Tag>;
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
      {values.length >= maxValues && (
        <p class="empty-line">{t('The last {count} values.', { count: formatCount(values.length) })}</p>
      )}
    </>
  );
}
