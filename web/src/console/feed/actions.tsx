/** Taking a message away: to the clipboard, or as a file. */

import { useState } from 'preact/hooks';
import { decodeUtf8, hex } from '../text';
import type { Entry } from './entry';

async function copy(text: string | Promise<string>): Promise<string> {
  try {
    await navigator.clipboard.writeText(await text);
    return 'Copied';
  } catch {
    // No clipboard for a page over plain http.
    return 'Not copied: this browser allows it over https only';
  }
}

async function save({ ordinal, message: { payload } }: Entry): Promise<string> {
  const { save } = await import('./save');
  const text = decodeUtf8(payload) !== undefined;
  // A copy: the bytes are a part of their batch's.
  save(new Blob([payload.slice()]), `message-${ordinal + 1}.${text ? 'txt' : 'bin'}`);
  return 'Saved';
}

export function Actions({ entry }: { entry: Entry }) {
  const [said, setSaid] = useState('');
  const { topic, payload } = entry.message;
  const actions: [name: string, run: () => Promise<string>][] = [
    ['Copy topic', () => copy(topic)],
    ['Copy as JSON', () => copy(import('./record').then(({ json }) => json(entry)))],
    ['Copy bytes as hex', () => copy(hex(payload))],
    ['Save payload', () => save(entry)],
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
