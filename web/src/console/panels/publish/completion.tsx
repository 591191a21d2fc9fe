import type { RefObject } from 'preact';
import { useEffect, useId, useLayoutEffect } from 'preact/hooks';
import { t } from '../../core/i18n/i18n';
import { limits } from '../../core/limits';
import { brief } from '../../core/text';
import { type Model, topicOf } from '../../topics/model';
import { Options, optionId, useOptions } from '../../ui/options';
import { useLookup } from '../palette/lookup';

export interface CompletionProps {
  field: RefObject<HTMLInputElement | null>;
  model: Model;
  typed: string;
  /** Undefined for none of them. */
  onChoose(topic: string | undefined): void;
}

/** The topics that the one being typed may be, for as long as it is rendered. */
export function Completion({ field, model, typed, onChoose }: CompletionProps) {
  const id = useId();
  const { nodes } = useLookup(model, typed, limits.suggestions);
  const topics = nodes.map(topicOf).filter((topic) => topic !== typed);
  const choose = (index: number) => onChoose(topics[index]);
  const { active, press, reset } = useOptions(topics.length, -1, choose);

  useEffect(reset, [typed]);

  useLayoutEffect(() => {
    const input = field.current;
    if (!input || topics.length === 0) return;
    const onKeyDown = (event: KeyboardEvent) => {
      if (press(event) || event.key !== 'Escape') return;
      event.preventDefault();
      onChoose(undefined);
    };
    input.addEventListener('keydown', onKeyDown);
    input.setAttribute('aria-controls', id);
    if (active >= 0) input.setAttribute('aria-activedescendant', optionId(id, active) ?? '');
    return () => {
      input.removeEventListener('keydown', onKeyDown);
      input.removeAttribute('aria-controls');
      input.removeAttribute('aria-activedescendant');
    };
  });

  if (topics.length === 0) return null;
  return (
    <Options
      id={id}
      label={t('Topics seen so far')}
      at={field}
      active={active}
      options={topics.map((topic) => ({
        key: topic,
        content: <bdi class="mono wrap">{brief(topic, limits.topic)}</bdi>,
      }))}
      onChoose={choose}
    />
  );
}
