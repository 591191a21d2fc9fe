/** CodeMirror for a script of either kind: see ui/editor. */

import { t } from '../../core/i18n/i18n';
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
  return (
    <Editor
      label={t('Code')}
      value={value}
      language={api === 'fleet' ? fleetLanguage : scriptLanguage}
      problem={problem}
      invalid={problem !== ''}
      height={height}
      onEdit={onEdit}
    />
  );
}
