import { useState } from 'preact/hooks';
import { t } from '../language/language';
import { saveAs } from '../save-as';
import { many } from '../text';
import type { Format } from './export';
import type { Feed } from './store';

const formats: Format[] = ['JSON', 'NDJSON', 'CSV'];

/** The page's turn between two slices of work. */
const rest = () => new Promise<void>((resolve) => setTimeout(resolve));

export function ExportBar({ feed, id }: { feed: Feed; id: string }) {
  const { first, end } = feed.view.value;
  const [progress, setProgress] = useState<string>();
  const [said, setSaid] = useState('');

  async function run(format: Format) {
    const entries = feed.listed();
    setSaid('');
    setProgress('Exporting…');
    try {
      const { fileOf } = await import('./export');
      const file = await fileOf(entries, format, rest, (done) =>
        setProgress(`Exporting… ${Math.floor((100 * done) / entries.length)}%`),
      );
      const time = new Date().toISOString().replace(/[:.]/g, '-');
      saveAs(`messages-${time}.${format.toLowerCase()}`, file);
      setSaid(`Exported ${many(entries.length, 'message')}`);
    } catch (error) {
      setSaid(`Not exported: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      setProgress(undefined);
    }
  }

  return (
    <div class="filter-export" id={id}>
      <span>{many(end - first, 'message')} as</span>
      {formats.map((format) => (
        <button
          key={format}
          type="button"
          class="button small"
          aria-label={`Export as ${format}`}
          disabled={first === end || progress !== undefined}
          onClick={() => void run(format)}
        >
          {format}
        </button>
      ))}
      {progress && <span>{progress}</span>}
      <span aria-live="polite">{said}</span>
      <p class="field-hint">
        {t(
          'Payloads that are not UTF-8 are written in base64. In CSV, an apostrophe goes before what a spreadsheet would take for a formula.',
        )}
      </p>
    </div>
  );
}
