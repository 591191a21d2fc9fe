/** A payload or a topic in one line. */

import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useReducer, useRef } from 'preact/hooks';
import { t } from '../core/i18n/i18n';
import type { Recall } from '../payload/choices';
import type { Readable } from '../payload/guess';
import type { Birth } from '../payload/in-row';
import { type Preview, previewOf } from '../payload/preview';
import { levelsOf, type Token } from '../payload/tokens';
import './brief.css';

/** And again when its decoder has been loaded. */
export function usePreview(message: Readable, recall: Recall, birth: Birth): Preview {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const preview = previewOf(message, recall, birth);
  useEffect(() => void preview.ready?.then(() => redraw(undefined)), [preview]);
  return preview;
}

interface TokensProps {
  tokens: readonly Token[];
  /** The same text, of which every other part, beginning with the second, was searched for. */
  parts?: readonly string[] | undefined;
}

function Tokens({ tokens, parts = [] }: TokensProps) {
  let part = 0;
  let left = parts.length > 1 ? (parts[0]?.length ?? 0) : Number.POSITIVE_INFINITY;

  /** Cut where a mark begins or ends. */
  function marked(text: string): ComponentChildren {
    const pieces: ComponentChildren[] = [];
    for (let at = 0; at < text.length; ) {
      for (; left === 0; left = parts[part]?.length ?? Number.POSITIVE_INFINITY) part++;
      const piece = text.slice(at, at + left);
      pieces.push(part % 2 === 1 && part < parts.length ? <mark key={at}>{piece}</mark> : piece);
      at += piece.length;
      left -= piece.length;
    }
    return pieces;
  }

  return (
    <>
      {tokens.map(([kind, text], index) =>
        kind === 'plain' ? (
          marked(text)
        ) : (
          <span key={index} data-kind={kind}>
            {kind === 'head' ? <bdi>{marked(text)}</bdi> : marked(text)}
          </span>
        ),
      )}
    </>
  );
}

/**
 * How wide the last part of a `topic-text` is at most: what is not a Latin letter comes from another
 * font, in which it takes up to an em.
 */
export function tailOf(text = '') {
  const wide = text.replace(/[\u0020-\u024f]/g, '').length;
  return { '--tail': `calc(${text.length - wide}ch + round(up, ${wide}em, 1ch))` };
}

/** Its last level is the last to be cut. */
export function TopicText({
  topic,
  parts,
  class: classes,
}: {
  topic: string;
  class: string;
  parts?: readonly string[] | undefined;
}) {
  const levels = levelsOf(topic);
  return (
    <bdi class={`topic-text ${classes}`} style={tailOf(levels.at(-1)?.[1])}>
      <Tokens tokens={levels} parts={parts} />
    </bdi>
  );
}

function Thumbnail({ of }: { of: NonNullable<Preview['thumbnail']> }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => (canvas.current ? of.draw(canvas.current) : undefined), [of]);
  const [width, height] = of.shown;
  return (
    <canvas ref={canvas} class="brief-picture rigid" style={{ width: `${width}px`, height: `${height}px` }} />
  );
}

interface BriefProps {
  preview: Preview;
  class: string;
  parts?: readonly string[] | undefined;
}

export function Brief({ preview, parts, class: classes }: BriefProps) {
  const { kind, text, tokens, format, thumbnail } = preview;
  return (
    <>
      {format && <span class="brief-format rigid fine bold">{format}</span>}
      {thumbnail && <Thumbnail of={thumbnail} />}
      <bdi class={`brief clip ${classes}`} data-kind={kind}>
        {kind === 'empty' ? t('empty') : <Tokens tokens={tokens ?? [['plain', text]]} parts={parts} />}
      </bdi>
    </>
  );
}
