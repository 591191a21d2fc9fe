/** What changed from one payload to the next. */

import { useLayoutEffect, useState } from 'preact/hooks';
import { language, t } from '../../core/i18n/i18n';
import type { Choice } from '../../payload/choices';
import { changeOf, type Piece } from '../../payload/diff';
import type { Readable } from '../../payload/guess';
import { readBoth } from '../../payload/read';

const tags = { same: 'span', gone: 'del', new: 'ins' } as const;
const signs = { same: ' ', gone: '−', new: '+' } as const;

/** Each line with its sign. */
function signed(kind: Piece['kind'], text: string): string {
  return `${text.replace(/^/gm, `${signs[kind]} `)}\n`;
}

interface Props {
  before: Readable;
  after: Readable;
  /** Whether both are all that was received. */
  whole: boolean;
  choice: Choice;
}

export function Diff({ before, after, whole, choice }: Props) {
  const [change, setChange] = useState<ReturnType<typeof changeOf>>();

  useLayoutEffect(() => {
    let wanted = true;
    void readBoth(before, after, choice).then(([from, to]) => {
      if (wanted) setChange(whole ? changeOf(from, to) : 'too large');
    });
    return () => {
      wanted = false;
    };
  }, [before, after, whole, choice, language.value]);

  if (!change) return null;
  if (change === 'too large') {
    return <p class="empty-line">{t('Too large to compare with the one before.')}</p>;
  }
  if (change === 'too different') {
    return <p class="empty-line">{t('Too different to compare with the one before.')}</p>;
  }
  const { byLines, pieces } = change;
  if (pieces.length === 0) return <p class="empty-line">{t('The same value as before.')}</p>;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for controls
    <pre
      class="payload-block payload-diff wrap sunken full"
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
