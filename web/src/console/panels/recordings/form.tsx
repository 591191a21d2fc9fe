import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { mark, t } from '../../core/i18n/i18n';
import type { Recording } from '../../recordings/database';
import type { Speed } from '../../recordings/player';
import type { Page } from '../../session/page';
import { Button } from '../../ui/button';
import { Select, submits, translated } from '../../ui/fields';

const speeds: readonly (readonly [Speed, string])[] = [
  [1, mark('as recorded')],
  [10, mark('10 times as fast')],
  [100, mark('100 times as fast')],
  [Number.POSITIVE_INFINITY, mark('at once')],
];

export function SpeedSelect({ value, onEdit }: { value: Speed; onEdit(speed: Speed): void }) {
  return (
    <Select<Speed>
      label={t('Speed')}
      class="inline"
      value={value}
      options={translated(speeds)}
      onEdit={onEdit}
    />
  );
}

export interface FormProps {
  recording: Recording;
  page: Page;
  onClose(): void;
}

export function Form({
  label,
  go,
  stop = false,
  disabled = false,
  onGo,
  onClose,
  children,
}: {
  label: string;
  /** The button's text. */
  go: string;
  /** Whether it is destructive. */
  stop?: boolean;
  disabled?: boolean;
  onGo(): void;
  onClose(): void;
  children: ComponentChildren;
}) {
  const form = useRef<HTMLFormElement>(null);
  // The buttons are its last line, and must be visible however long it gets.
  useLayoutEffect(() => form.current?.scrollIntoView({ block: 'nearest' }));
  return (
    <form ref={form} class="recording-form flow" aria-label={label} noValidate onSubmit={submits(onGo)}>
      {children}
      <div class="flow">
        <Button type="submit" look={stop ? 'stop' : 'primary'} disabled={disabled}>
          {go}
        </Button>
        <Button onClick={onClose}>{t('Cancel')}</Button>
      </div>
    </form>
  );
}
