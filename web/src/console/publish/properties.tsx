import { t } from '../language/language';
import { type Format, formats, loadProtobuf } from '../payload/encode';
import { Select, translated } from '../ui/fields';
import { onDemand } from '../ui/on-demand';
import { noProperties } from './message';
import { PropertyFields } from './property-fields';
import type { Publisher } from './store';

const ProtobufControls = onDemand(async () => {
  const [{ ProtobufControls: Controls }] = await Promise.all([import('../payload/protobuf'), loadProtobuf()]);
  return Controls;
});

export function MessageProperties({ publisher }: { publisher: Publisher }) {
  const { format, type, properties } = publisher.draft.value;
  return (
    <fieldset class="publish-properties" aria-label={t('Message properties')}>
      <Select
        label={t('Payload is typed as')}
        value={format}
        options={translated<Format>(formats)}
        onEdit={(chosen) => publisher.edit({ format: chosen })}
      />
      {format === 'protobuf' && (
        <ProtobufControls
          type={type}
          unloaded={t('They define the message that is typed as JSON')}
          untyped={t('choose one')}
          onType={(chosen) => publisher.edit({ type: chosen })}
        />
      )}
      <PropertyFields
        alias
        properties={properties}
        errors={publisher.fieldErrors.value}
        onEdit={(edited) => publisher.edit({ properties: edited })}
      />
      <button type="button" class="link" onClick={() => publisher.edit({ properties: noProperties })}>
        {t('Clear all properties')}
      </button>
    </fieldset>
  );
}
