/** The topics that a chosen format is for. */

import { useState } from 'preact/hooks';
import { t } from '../../core/i18n/i18n';
import type { Choices } from '../../payload/choices';
import { submits, TextField } from '../fields';
import { useTold } from '../told';

export function Applies({ choices, topic }: { choices: Choices; topic: string }) {
  const [typed, setTyped] = useState<string>();
  const mistake = useTold();

  /** When typing is finished: until then it would be other filters. */
  function commit(): void {
    if (typed === undefined) return;
    const words = choices.extend(topic, typed);
    mistake.value = words;
    if (!words) setTyped(undefined);
  }

  return (
    <form onChange={commit} onSubmit={submits(commit)}>
      <TextField
        label={t('Applies to')}
        class="inline"
        placeholder={t('plant/+/state or plant/#')}
        value={typed ?? choices.filterFor(topic)}
        error={mistake.value || undefined}
        onEdit={(text) => {
          setTyped(text);
          mistake.value = '';
        }}
      />
    </form>
  );
}
