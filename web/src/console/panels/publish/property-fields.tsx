import { t } from '../../core/i18n/i18n';
import type { Properties } from '../../session/message';
import { Checkbox, TextField } from '../../ui/fields';
import { Pairs } from '../../ui/pairs';

interface Props {
  properties: Properties;
  /** By the property's name. */
  errors: { readonly [field: string]: string | undefined };
  /** A will has none. */
  alias: boolean;
  onEdit(properties: Properties): void;
}

/** The properties that a message carries (3.3.2.3, 3.1.3.2). */
export function PropertyFields({ properties, errors, alias, onEdit }: Props) {
  const field = (
    label: string,
    name: Exclude<keyof Properties, 'payloadFormatIndicator' | 'userProperties'>,
    placeholder = '',
  ) => (
    <TextField
      label={label}
      placeholder={placeholder}
      value={properties[name]}
      error={errors[name]}
      onEdit={(typed) => onEdit({ ...properties, [name]: typed })}
    />
  );
  return (
    <div class="fields">
      {field(t('Content type'), 'contentType', 'application/json')}
      {field(t('Expiry (s)'), 'messageExpiryInterval', t('never'))}
      {field(t('Response topic'), 'responseTopic')}
      {field(t('Correlation data'), 'correlationData')}
      {alias && field(t('Topic alias'), 'topicAlias')}
      <Checkbox
        label={t('Payload is UTF-8 text')}
        name={t('Payload format: UTF-8 text')}
        checked={properties.payloadFormatIndicator}
        onEdit={(payloadFormatIndicator) => onEdit({ ...properties, payloadFormatIndicator })}
      />
      <Pairs
        label={t('User properties')}
        pairs={properties.userProperties}
        error={errors.userProperties}
        onEdit={(userProperties) => onEdit({ ...properties, userProperties })}
      />
    </div>
  );
}
