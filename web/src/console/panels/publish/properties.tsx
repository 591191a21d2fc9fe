import { t } from '../../core/i18n/i18n';
import { formatBytes } from '../../core/text';
import { load } from '../../payload/codecs/table';
import { noProperties } from '../../session/message';
import type { Publisher } from '../../session/publisher';
import { Button, IconButton } from '../../ui/button';
import { onDemand } from '../../ui/on-demand';
import { PropertyFields } from './property-fields';

const ProtobufControls = onDemand(async () => {
  const [{ ProtobufControls: Controls }] = await Promise.all([
    import('../../ui/payload/protobuf'),
    load('protobuf'), // from then on its errors are shown while typing
  ]);
  return Controls;
});

export function MessageProperties({ publisher }: { publisher: Publisher }) {
  const { format, type, properties, correlation } = publisher.draft.value;
  return (
    <fieldset class="stack roomy" aria-label={t('Message properties')}>
      {format === 'protobuf' && (
        <ProtobufControls
          choices={publisher.choices}
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
      {correlation && (
        <p class="publish-file line box small-text sunken">
          <span>
            {t('Correlation data of the request, {size}', { size: formatBytes(correlation.length) })}
          </span>
          <IconButton
            label={t('Remove the correlation data')}
            onClick={() => publisher.edit({ correlation: undefined })}
          />
        </p>
      )}
      <Button
        look="link"
        onClick={() => publisher.edit({ properties: noProperties, correlation: undefined })}
      >
        {t('Clear all properties')}
      </Button>
    </fieldset>
  );
}
