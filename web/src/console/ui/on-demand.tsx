import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { t } from '../core/i18n/i18n';
import { Button } from './button';
import { FieldError } from './fields';

type Part<P> = (props: P) => JSX.Element | null;

/** A part of the page whose program is fetched when it is first shown. */
export function onDemand<P extends object>(fetchPart: () => Promise<Part<P>>) {
  const part = signal<Part<P> | undefined>(undefined);
  const failed = signal(false);
  let begun = false;

  async function begin(): Promise<void> {
    if (begun) return;
    begun = true;
    failed.value = false;
    try {
      part.value = await fetchPart();
    } catch {
      failed.value = true;
      begun = false;
    }
  }

  return function OnDemand(props: P) {
    useEffect(() => void begin(), []);
    const Ready = part.value;
    if (Ready) return <Ready {...props} />;
    if (!failed.value) return <p class="empty-line">{t('Loading…')}</p>;
    return (
      <FieldError>
        {t('The server of this page did not deliver this part.')}{' '}
        <Button look="link" onClick={() => void begin()}>
          {t('Try again')}
        </Button>
      </FieldError>
    );
  };
}
