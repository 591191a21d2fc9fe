/** The topics that a chosen format is for. */

import { useState } from 'preact/hooks';
import { t } from '../../core/i18n/i18n';
import { extend, filterFor } from '../../payload/choices';
import { submits, TextField } from '../fields';

export function Applies({ topic }: { topic: string }) {
  const [typed, setTyped] = useState<string>();
  const [mistake, setMistake] = useState('');

  /** When typing is finished: until then it would be other filters. */
  function commit(): void {
    if (typed === undefined) return;
    const words = extend(topic, typed);
    setMistake(words);
    if (!words) setTyped(undefined);
  }

  return (
    <form onChange={commit} onSubmit={submits(commit)}>
      <TextField
        label={t('Applies to')}
        class="inline"
        placeholder={t('plant/+/state or plant/#')}
        value={typed ?? filterFor(topic)}
        error={mistake || undefined}
        onEdit={(text) => {
          setTyped(text);
          setMistake('');
        }}
      />
    </form>
  );
}
