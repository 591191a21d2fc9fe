import { t } from '../../core/i18n/i18n';
import type { Properties } from '../../session/message';
import { fieldsOf } from '../../ui/fields';
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
  const edit = (changes: Partial<Properties>) => onEdit({ ...properties, ...changes });
  const { text, flag } = fieldsOf<Properties>(properties, errors, edit);
  return (
    <div class="fields">
      {text(t('Content type'), 'contentType', { placeholder: 'application/json' })}
      {text(t('Expiry (s)'), 'messageExpiryInterval', { placeholder: t('never') })}
      {text(t('Response topic'), 'responseTopic')}
      {text(t('Correlation data'), 'correlationData')}
      {alias && text(t('Topic alias'), 'topicAlias')}
      {flag(t('Payload is UTF-8 text'), 'payloadFormatIndicator', t('Payload format: UTF-8 text'))}
      <Pairs
        label={t('User properties')}
        pairs={properties.userProperties}
        error={errors.userProperties}
        onEdit={(userProperties) => edit({ userProperties })}
      />
    </div>
  );
}
