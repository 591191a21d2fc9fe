import type { ComponentType } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { t } from '../../core/i18n/i18n';
import type { Publisher } from '../../session/publisher';
import type { Model } from '../../topics/model';
import { TextField } from '../../ui/fields';
import type { CompletionProps } from './completion';

/** Suggests topics from the tree. It stays a text box, since any topic can be published to. */
export function TopicField({ publisher, model }: { publisher: Publisher; model: Model }) {
  const field = useRef<HTMLInputElement>(null);
  /** Only typing shows suggestions. */
  const [typed, setTyped] = useState('');
  const [loaded, setLoaded] = useState<{ Completion: ComponentType<CompletionProps> }>();
  const { topic } = publisher.draft.value;
  return (
    <>
      <TextField
        label={t('Topic')}
        error={publisher.fieldErrors.value.topic}
        value={topic}
        onEdit={(value) => {
          publisher.edit({ topic: value });
          setTyped(value.trim());
        }}
        input={{
          ref: field,
          'aria-autocomplete': 'list',
          // Without it one types a little more.
          onFocus: () => loaded ?? import('./completion').then(setLoaded, () => {}),
          onBlur: () => setTyped(''),
        }}
      />
      {loaded && typed !== '' && (
        <loaded.Completion
          field={field}
          model={model}
          typed={typed}
          onChoose={(chosen) => {
            if (chosen !== undefined) publisher.edit({ topic: chosen });
            setTyped('');
          }}
        />
      )}
    </>
  );
}
