import { mark, t } from '../../core/i18n/i18n';
import type { Subscriptions } from '../../session/subscriptions';
import { defaultRap } from '../../session/wanted';
import { Checkbox, Select, TextField, translated } from '../../ui/fields';
import { hue } from '../../ui/hue';

const retainHandling = [
  [0, mark('Send retained messages')],
  [1, mark('Only if the subscription is new')],
  [2, mark('No retained messages')],
] as const;

/** Colours to choose from: degrees. */
const swatches = [
  ['', mark('Automatic')],
  [25, mark('Red')],
  [60, mark('Orange')],
  [100, mark('Yellow')],
  [145, mark('Green')],
  [190, mark('Teal')],
  [245, mark('Blue')],
  [295, mark('Purple')],
  [345, mark('Pink')],
] as const;

export function SubscribeOptions({ subscriptions }: { subscriptions: Subscriptions }) {
  const { edit } = subscriptions;
  const {
    nl = false,
    rap = defaultRap,
    rh = 0,
    identifier = '',
    name = '',
    hue: chosen,
  } = subscriptions.draft.value;
  return (
    <div class="stack">
      <TextField label={t('Shown as')} value={name} onEdit={(typed) => edit({ name: typed })} />
      <fieldset class="flow tight">
        <legend>{t('Colour')}</legend>
        {swatches.map(([degrees, colour]) => (
          <input
            key={degrees}
            type="radio"
            name="hue"
            class="swatch"
            value={degrees}
            style={degrees === '' ? undefined : hue(degrees)}
            aria-label={t(colour)}
            title={t(colour)}
            checked={(chosen ?? '') === degrees}
            onChange={() => edit({ hue: degrees === '' ? undefined : degrees })}
          />
        ))}
      </fieldset>
      <div class="subscribe-flags">
        <Checkbox label={t('No Local')} checked={nl} onEdit={(on) => edit({ nl: on })} />
        <Checkbox label={t('Retain As Published')} checked={rap} onEdit={(on) => edit({ rap: on })} />
      </div>
      <Select
        label={t('Retain Handling')}
        value={rh}
        options={translated<0 | 1 | 2>(retainHandling)}
        onEdit={(rule) => edit({ rh: rule })}
      />
      {subscriptions.identifiers() && (
        <TextField
          label={t('Subscription Identifier')}
          placeholder="1–268435455"
          value={identifier}
          error={subscriptions.identifierError.value}
          onEdit={(typed) => edit({ identifier: typed })}
        />
      )}
    </div>
  );
}
