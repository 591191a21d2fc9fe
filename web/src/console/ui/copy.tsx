import { useState } from 'preact/hooks';
import { t } from '../core/i18n/i18n';

/** Copies a text, and tells whether that went well. */
export function Copy({ label, text }: { label: string; text: string }) {
  const [news, setNews] = useState('');
  async function copy() {
    try {
      await navigator.clipboard.writeText(text);
      setNews(t('Copied'));
    } catch {
      // Not there over plain http, or forbidden.
      setNews(t('This browser does not let the page copy: select the text and copy it'));
    }
  }
  return (
    <span class="copy">
      <button type="button" class="button" onClick={() => void copy()}>
        {label}
      </button>
      <span class="field-hint" role="status" aria-label={label}>
        {news}
      </span>
    </span>
  );
}
