/** CodeMirror for a script of either kind: see ui/editor. */

import { useRef } from 'preact/hooks';
import { t } from '../../core/i18n/i18n';
import type { Control } from '../../ui/editor/control';
import { Editor } from '../../ui/editor/editor';
import { fleetLanguage, scriptLanguage } from './language';

interface Props {
  /** Whose names it knows. */
  api?: 'fleet';
  value: string;
  problem: string;
  onEdit(code: string): void;
}

/** Pixels. */
const height = 220;

export function Code({ api, value, problem, onEdit }: Props) {
  const control = useRef<Control>(null);
  return (
    <Editor
      label={t('Code')}
      value={value}
      json={false}
      language={api === 'fleet' ? fleetLanguage : scriptLanguage}
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
