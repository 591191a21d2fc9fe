/** Lines of JSON that fold, in colour. */

import { useRef, useState } from 'preact/hooks';
import { values } from '../../core/counts';
import { t } from '../../core/i18n/i18n';
import type { Line } from '../../payload/lines';

/** Levels that the text is indented by where it wraps. */
const deepestIndent = 12;

interface Part {
  line: Line;
  index: number;
  folded: boolean;
  comma: boolean;
}

/** At most `most` lines that are to be seen, and the index behind them. */
function visibleParts(lines: readonly Line[], folded: ReadonlySet<number>, most: number): [Part[], number] {
  const parts: Part[] = [];
  let index = 0;
  while (index < lines.length && parts.length < most) {
    const line = lines[index];
    if (!line) break;
    const isFolded = folded.has(index);
    // A folded value ends with its last line, which is not shown.
    const { comma } = (isFolded && lines[line.end ?? lines.length]) || line;
    parts.push({ line, index, folded: isFolded, comma });
    index = isFolded ? (line.end ?? lines.length) + 1 : index + 1;
  }
  return [parts, Math.min(index, lines.length)];
}

function Row({ part, tabbable, onFold }: { part: Part; tabbable: boolean; onFold(index: number): void }) {
  const { line, index, folded, comma } = part;
  const count = values(line.count);
  const indent = `${Math.min(line.depth, deepestIndent) * 2 + 2}ch`;
  return (
    <span class="payload-line" style={{ '--indent': indent }}>
      {line.kind === 'open' && (
        <button
          type="button"
          class="payload-fold"
          data-line={index}
          tabIndex={tabbable ? 0 : -1}
          aria-expanded={!folded}
          aria-label={`${line.key ?? t('All')}, ${count}`}
          onClick={() => onFold(index)}
        />
      )}
      {'  '.repeat(line.depth)}
      {line.key !== undefined && (
        <>
          <span class="payload-key">{line.key}</span>
          {': '}
        </>
      )}
      <span data-kind={line.kind}>{line.text}</span>
      {folded && (
        <>
          <span class="payload-note"> {count} </span>
          {line.text === '{' ? '}' : ']'}
        </>
      )}
      {comma && ','}
      {line.note && <span class="payload-note">{`  ${line.note}`}</span>}
      {'\n'}
    </span>
  );
}

export function Block({ lines, shown }: { lines: readonly Line[]; shown: number }) {
  const [folded, setFolded] = useState<ReadonlySet<number>>(new Set());
  const [current, setCurrent] = useState(0);
  const pre = useRef<HTMLPreElement>(null);
  const [parts] = visibleParts(lines, folded, shown);

  function fold(index: number, to = !folded.has(index)): void {
    const next = new Set(folded);
    if (to) next.add(index);
    else next.delete(index);
    setFolded(next);
    setCurrent(index);
  }

  /** One stop for the tabulator; the arrows go on from it. */
  function onKeyDown(event: KeyboardEvent): void {
    if (!(event.target instanceof HTMLElement) || !event.target.dataset.line) return;
    const index = Number(event.target.dataset.line);
    if (event.key === 'ArrowLeft') fold(index, true);
    else if (event.key === 'ArrowRight') fold(index, false);
    else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      const all = [...(pre.current?.querySelectorAll<HTMLElement>('.payload-fold') ?? [])];
      const next = all[all.indexOf(event.target) + (event.key === 'ArrowDown' ? 1 : -1)];
      if (!next) return;
      setCurrent(Number(next.dataset.line));
      next.focus();
    } else return;
    event.preventDefault();
  }

  const stop = parts.some(({ index, line }) => index === current && line.kind === 'open')
    ? current
    : parts.find(({ line }) => line.kind === 'open')?.index;
  return (
    <pre ref={pre} class="payload-block payload-lines wrap" onKeyDown={onKeyDown}>
      {parts.map((part) => (
        <Row key={part.index} part={part} tabbable={part.index === stop} onFold={fold} />
      ))}
    </pre>
  );
}
