/** Protobuf by the user's .proto files. */

import { visible } from '../../core/text';
import { chosen, load, names, problem, schema } from '../../payload/definitions';
import { FileButton } from '../button';
import { Select } from '../fields';
import './payload.css';
import { t } from '../../core/i18n/i18n';

interface Props {
  type: string | undefined;
  /** The hints without a definition, and without a type. */
  unloaded: string;
  untyped: string;
  onType(type: string): void;
}

export function ProtobufControls({ type, unloaded, untyped, onType }: Props) {
  const types = schema.value?.types ?? [];
  return (
    <div class="payload-tools flow">
      <FileButton
        small
        text={names.value.length ? t('Other .proto files') : t('Load .proto files')}
        accept=".proto"
        multiple
        onFiles={(files) => void load(files)}
      />
      {types.length > 0 ? (
        <Select
          label={t('Message type')}
          class="inline"
          value={chosen(type) ?? ''}
          options={[['', untyped], ...types.map((name) => [name, visible(name)] as const)]}
          onEdit={onType}
        />
      ) : (
        <span class="muted wrap">{unloaded}</span>
      )}
      {names.value.length > 0 && <span class="muted wrap">{names.value.join(', ')}</span>}
      {problem.value && (
        <p class="alarm" role="alert">
          {problem.value}
        </p>
      )}
    </div>
  );
}
