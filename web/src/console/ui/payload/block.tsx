/** Lines of JSON that fold, in colour. */

import { useRef, useState } from 'preact/hooks';
import { values } from '../../core/counts';
import { t } from '../../core/i18n/i18n';
import { type Line, pathOf } from '../../payload/lines';
import { ChartButton, type OnNumber } from './chart-button';

/** Levels that the text is indented by where it wraps. */
const deepestIndent = 12;

interface Part {
  line: Line;
  index: number;
  folded: boolean;
  comma: boolean;
}

/** At most `most` visible lines. */
function visibleParts(lines: readonly Line[], folded: ReadonlySet<number>, most: number): Part[] {
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
  return parts;
}

interface RowProps {
  part: Part;
  tabbable: boolean;
  onFold(index: number): void;
  onNumber: OnNumber | undefined;
}

function Row({ part, tabbable, onFold, onNumber }: RowProps) {
  const { line, index, folded, comma } = part;
  const count = values(line.count);
  const path = onNumber && line.kind === 'number' ? pathOf(line) : undefined;
  const indent = `${Math.min(line.depth, deepestIndent) * 2 + 2}ch`;
  return (
    <span class="payload-line" style={{ '--indent': indent }}>
      {line.kind === 'open' && (
        <button
          type="button"
          class="payload-fold fold"
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
          <span class="accent">{line.key}</span>
          {': '}
        </>
      )}
      {path === undefined || !onNumber ? (
        <span data-kind={line.kind}>{line.text}</span>
      ) : (
        <ChartButton path={path} data-line={index} tabIndex={tabbable ? 0 : -1} onNumber={onNumber}>
          {line.text}
        </ChartButton>
      )}
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

interface Props {
  lines: readonly Line[];
  shown: number;
  /** What a click on a number does. */
  onNumber?: OnNumber | undefined;
}

export function Block({ lines, shown, onNumber }: Props) {
  const [folded, setFolded] = useState<ReadonlySet<number>>(new Set());
  const [current, setCurrent] = useState(0);
  const pre = useRef<HTMLPreElement>(null);
  const parts = visibleParts(lines, folded, shown);

  function fold(index: number, to = !folded.has(index)): void {
    const next = new Set(folded);
    if (to) next.add(index);
    else next.delete(index);
    setFolded(next);
    setCurrent(index);
  }

  /** One tab stop for what folds, and one for the numbers; the arrow keys move within them. */
  function onKeyDown(event: KeyboardEvent): void {
    if (!(event.target instanceof HTMLElement) || !event.target.dataset.line) return;
    const index = Number(event.target.dataset.line);
    const folds = lines[index]?.kind === 'open';
    if (event.key === 'ArrowLeft' && folds) fold(index, true);
    else if (event.key === 'ArrowRight' && folds) fold(index, false);
    else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      const alike = `.${event.target.classList[0]}`;
      const all = [...(pre.current?.querySelectorAll<HTMLElement>(alike) ?? [])];
      const next = all[all.indexOf(event.target) + (event.key === 'ArrowDown' ? 1 : -1)];
      if (!next) return;
      setCurrent(Number(next.dataset.line));
      next.focus();
    } else return;
    event.preventDefault();
  }

  const stops = (['open', 'number'] as const).map((kind) => {
    const all = parts.filter(({ line }) => line.kind === kind);
    return (all.find(({ index }) => index === current) ?? all[0])?.index;
  });
  return (
    <pre ref={pre} class="payload-block payload-lines wrap sunken full" onKeyDown={onKeyDown}>
      {parts.map((part) => (
        <Row
          key={part.index}
          part={part}
          tabbable={stops.includes(part.index)}
          onFold={fold}
          onNumber={onNumber}
        />
      ))}
    </pre>
  );
}
