/** Protobuf by the user's .proto files. */

import { visible } from '../../core/text';
import type { Choices } from '../../payload/choices';
import { definedBy, load } from '../../payload/definitions';
import { chosenOf } from '../../payload/schema';
import { FileButton } from '../button';
import { Select } from '../fields';
import { useTold } from '../told';
import './payload.css';
import { t } from '../../core/i18n/i18n';

interface Props {
  choices: Choices;
  type: string | undefined;
  /** The hints without a definition, and without a type. */
  unloaded: string;
  untyped: string;
  onType(type: string): void;
}

export function ProtobufControls({ choices, type, unloaded, untyped, onType }: Props) {
  const files = choices.files.entries.value;
  const { types, problem } = definedBy(files);
  const told = useTold();
  const wrong = told.value || problem;
  return (
    <div class="payload-tools flow">
      <FileButton
        small
        text={files.length ? t('Other .proto files') : t('Load .proto files')}
        accept=".proto"
        onFiles={async (files) => {
          told.value = await load(choices, files);
        }}
      />
      {types.length > 0 ? (
        <Select
          label={t('Message type')}
          class="inline"
          value={chosenOf({ types }, type) ?? ''}
          options={[['', untyped], ...types.map((name) => [name, visible(name)] as const)]}
          onEdit={onType}
        />
      ) : (
        <span class="muted wrap">{unloaded}</span>
      )}
      {files.length > 0 && (
        <span class="muted wrap">{files.map(({ name }) => visible(name)).join(', ')}</span>
      )}
      {wrong && (
        <p class="alarm" role="alert">
          {wrong}
        </p>
      )}
    </div>
  );
}
