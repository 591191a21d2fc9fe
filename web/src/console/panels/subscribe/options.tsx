import { mark, t } from '../../core/i18n/i18n';
import type { Subscriptions } from '../../session/subscriptions';
import { defaultRap } from '../../session/wanted';
import { fieldsOf } from '../../ui/fields';
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
  const { draft, edit, identifierError } = subscriptions;
  const values = { nl: false, rap: defaultRap, rh: 0 as 0 | 1 | 2, identifier: '', name: '', ...draft.value };
  const { text, choice, flag } = fieldsOf(values, { identifier: identifierError.value }, edit);
  const { hue: chosen } = values;
  return (
    <div class="stack">
      {text(t('Shown as'), 'name')}
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
        {flag(t('No Local'), 'nl')}
        {flag(t('Retain As Published'), 'rap')}
      </div>
      {choice(t('Retain Handling'), 'rh', retainHandling)}
      {subscriptions.identifiers() &&
        text(t('Subscription Identifier'), 'identifier', { placeholder: '1–268435455' })}
    </div>
  );
}
