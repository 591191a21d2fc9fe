/** Names with values, whose order and repetition count: user properties (3.3.2.3.7). */

import { useId } from 'preact/hooks';
import { Button, IconButton } from './button';
import { FieldError } from './fields';
import './pairs.css';
import { t } from '../core/i18n/i18n';

type Pair = [name: string, value: string];

interface Props {
  label: string;
  pairs: Pair[];
  error?: string | undefined;
  onEdit(pairs: Pair[]): void;
}

export function Pairs({ label, pairs, error, onEdit }: Props) {
  const id = useId();
  const replace = (index: number, ...by: Pair[]) => onEdit(pairs.toSpliced(index, 1, ...by));
  const swap = (index: number) => {
    const [above, below] = [pairs[index - 1], pairs[index]];
    if (above && below) onEdit(pairs.toSpliced(index - 1, 2, below, above));
  };
  return (
    <fieldset class="pairs stack tight across" aria-describedby={error ? `${id}-error` : undefined}>
      <legend>{label}</legend>
      {pairs.map(([name, value], index) => (
        <div class="pair full" key={index}>
          <input
            class="input mono"
            aria-label={t('Name {number}', { number: index + 1 })}
            placeholder={t('name')}
            value={name}
            onInput={(event) => replace(index, [event.currentTarget.value, value])}
          />
          <input
            class="input mono"
            aria-label={t('Value {number}', { number: index + 1 })}
            placeholder={t('value')}
            value={value}
            onInput={(event) => replace(index, [name, event.currentTarget.value])}
          />
          <IconButton
            label={t('Move pair {number} up', { number: index + 1 })}
            disabled={index === 0}
            onClick={() => swap(index)}
          >
            ↑
          </IconButton>
          <IconButton
            label={t('Remove pair {number}', { number: index + 1 })}
            onClick={() => replace(index)}
          />
        </div>
      ))}
      <FieldError id={`${id}-error`}>{error}</FieldError>
      <Button look="link" onClick={() => onEdit([...pairs, ['', '']])}>
        {t('Add a pair')}
      </Button>
    </fieldset>
  );
}
