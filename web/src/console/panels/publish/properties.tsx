import { t } from '../../core/i18n/i18n';
import { formats, loadProtobuf } from '../../payload/encode';
import type { Format } from '../../payload/format';
import { noProperties } from '../../session/message';
import type { Publisher } from '../../session/publisher';
import { Button } from '../../ui/button';
import { Select, translated } from '../../ui/fields';
import { onDemand } from '../../ui/on-demand';
import { PropertyFields } from './property-fields';

const ProtobufControls = onDemand(async () => {
  const [{ ProtobufControls: Controls }] = await Promise.all([
    import('../../ui/payload/protobuf'),
    loadProtobuf(),
  ]);
  return Controls;
});

export function MessageProperties({ publisher }: { publisher: Publisher }) {
  const { format, type, properties } = publisher.draft.value;
  return (
    <fieldset class="publish-properties stack" aria-label={t('Message properties')}>
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
      <Button look="link" onClick={() => publisher.edit({ properties: noProperties })}>
        {t('Clear all properties')}
      </Button>
    </fieldset>
  );
}
