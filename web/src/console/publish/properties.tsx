import { formats } from '../payload/encode';
import { Select } from '../ui/fields';
import { noProperties } from './message';
import { PropertyFields } from './property-fields';
import type { Publisher } from './store';

export function MessageProperties({ publisher }: { publisher: Publisher }) {
  const { format, properties } = publisher.draft.value;
  return (
    <fieldset class="publish-properties" aria-label="Message properties">
      <Select
        label="Payload is typed as"
        value={format}
        options={formats}
        onEdit={(chosen) => publisher.edit({ format: chosen })}
      />
      <PropertyFields
        alias
        properties={properties}
        errors={publisher.fieldErrors.value}
        onEdit={(edited) => publisher.edit({ properties: edited })}
      />
      <button type="button" class="link" onClick={() => publisher.edit({ properties: noProperties })}>
        Clear all properties
      </button>
    </fieldset>
  );
}
