/** Taking a message away, to the clipboard. */

import { useState } from 'preact/hooks';
import { t } from '../../core/i18n/i18n';
import { hex } from '../../core/text';
import type { Entry } from '../../log/entry';

async function copy(text: string | Promise<string>): Promise<string> {
  try {
    await navigator.clipboard.writeText(await text);
    return t('Copied');
  } catch {
    // No clipboard for a page over plain http.
    return t('Not copied: this browser allows it over https only');
  }
}

export function Actions({ entry }: { entry: Entry }) {
  const [said, setSaid] = useState('');
  const { topic, payload } = entry.message;
  const actions: [name: string, run: () => Promise<string>][] = [
    [t('Copy topic'), () => copy(topic)],
    [t('Copy as JSON'), () => copy(import('../../log/record').then(({ json }) => json(entry)))],
    [t('Copy bytes as hex'), () => copy(hex(payload))],
  ];
  return (
    <div class="details-tools">
      {actions.map(([name, run]) => (
        <button key={name} type="button" class="button small" onClick={async () => setSaid(await run())}>
          {name}
        </button>
      ))}
      <span class="details-said" aria-live="polite">
        {said}
      </span>
    </div>
  );
}
