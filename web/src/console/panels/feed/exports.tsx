/** Exports what a log lists. */

import { useState } from 'preact/hooks';
import { t } from '../../core/i18n/i18n';
import type { Listed } from '../../core/listed';
import { saveAs } from '../../core/save-as';
import { wordsOf } from '../../core/text';
import type { Format } from '../../log/export';
import { Button } from '../../ui/button';
import { useTold } from '../../ui/told';
import { Said } from '../../ui/toolbar';

interface Props<Entry> {
  log: Listed<Entry> & { listed(): Entry[] };
  /** The beginning of the file's name. */
  name: string;
  formats: readonly Format[];
  fileOf(entries: Entry[], format: Format, told: (done: number) => void): Promise<Blob>;
  /** The text for the number of exported entries. */
  words(count: number): string;
}

export function Exports<Entry>({ log, name, formats, fileOf, words }: Props<Entry>) {
  const { first, end } = log.view.value;
  const [progress, setProgress] = useState<string>();
  const said = useTold();

  async function run(format: Format) {
    const entries = log.listed();
    said.value = '';
    setProgress(t('Exporting…'));
    try {
      const file = await fileOf(entries, format, (done) =>
        setProgress(t('Exporting… {percent}%', { percent: Math.floor((100 * done) / entries.length) })),
      );
      const time = new Date().toISOString().replace(/[:.]/g, '-');
      saveAs(`${name}-${time}.${format.toLowerCase()}`, file);
      said.value = () => words(entries.length);
    } catch (error) {
      said.value = () => t('Not exported: {reason}', { reason: wordsOf(error) });
    } finally {
      setProgress(undefined);
    }
  }

  return (
    <>
      {formats.map((format) => (
        <Button
          small
          key={format}
          aria-label={t('Export as {format}', { format })}
          disabled={first === end || progress !== undefined}
          onClick={() => void run(format)}
        >
          {format}
        </Button>
      ))}
      {progress && <span>{progress}</span>}
      <Said>{said.value}</Said>
    </>
  );
}
