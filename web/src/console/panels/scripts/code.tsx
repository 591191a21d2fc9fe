/** CodeMirror for a script: see ui/editor. */

import { useRef } from 'preact/hooks';
import { t } from '../../core/i18n/i18n';
import type { Control } from '../../ui/editor/control';
import { Editor } from '../../ui/editor/editor';
import { scriptLanguage } from './language';

interface Props {
  value: string;
  problem: string;
  onEdit(code: string): void;
}

/** Pixels. */
const height = 220;

export function Code({ value, problem, onEdit }: Props) {
  const control = useRef<Control>(null);
  return (
    <Editor
      label={t('Code')}
      value={value}
      json={false}
      language={scriptLanguage}
      problem={problem}
      invalid={problem !== ''}
      caret={{ from: 0, to: 0 }}
      focused={false}
      height={height}
      control={control}
      onEdit={onEdit}
      onKey={() => false}
    />
  );
}
