import type { ComponentProps } from 'preact';
import { t } from '../../core/i18n/i18n';
import { limits } from '../../core/limits';
import { brief } from '../../core/text';

/** Told the way to a number. */
export type OnNumber = (path: string) => void;

type Props = Omit<ComponentProps<'button'>, 'onClick'> & {
  path: string;
  children: string;
  onNumber: OnNumber;
};

/** A number that can be put on the chart. */
export function ChartButton({ path, onNumber, ...rest }: Props) {
  const label = t('Chart {path}', { path: path === '' ? t('value') : brief(path, limits.name) });
  return (
    <button
      {...rest}
      type="button"
      class="payload-number"
      data-kind="number"
      aria-label={`${label}: ${rest.children}`}
      title={label}
      onClick={() => onNumber(path)}
    />
  );
}
