import { useState } from 'preact/hooks';
import { messages } from '../../core/counts';
import { t } from '../../core/i18n/i18n';
import { saveAs } from '../../core/save-as';
import type { Format } from '../../log/export';
import type { Feed } from '../../log/feed';

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
    setProgress(t('Exporting…'));
    try {
      const { fileOf } = await import('../../log/export');
      const file = await fileOf(entries, format, rest, (done) =>
        setProgress(t('Exporting… {percent}%', { percent: Math.floor((100 * done) / entries.length) })),
      );
      const time = new Date().toISOString().replace(/[:.]/g, '-');
      saveAs(`messages-${time}.${format.toLowerCase()}`, file);
      setSaid(t('Exported {messages}', { messages: messages(entries.length) }));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      setSaid(t('Not exported: {reason}', { reason }));
    } finally {
      setProgress(undefined);
    }
  }

  return (
    <div class="filter-export" id={id}>
      <span>{t('{messages} as', { messages: messages(end - first) })}</span>
      {formats.map((format) => (
        <button
          key={format}
          type="button"
          class="button small"
          aria-label={t('Export as {format}', { format })}
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
