import type { Fleet } from '../../automation/fleet';
import type { FleetForm } from '../../automation/fleet-plan';
import { mark, parts, t } from '../../core/i18n/i18n';
import { Field, FieldError, fieldsOf, qosOptions, Select, submits, translated } from '../../ui/fields';
import { onDemand } from '../../ui/on-demand';

const Code = onDemand(async () => (await import('../scripts/code')).Code);

const levels = qosOptions.map(([qos, words]) => [String(qos), words] as const);
const mixed = [...levels, ['mixed', mark('0, 1 and 2 in turn')] as const];

/** What browsers open at once: Firefox 200, Chromium 255. */
const mostSockets = 198;

const places = [
  '{{device}}',
  '{{device 3}}',
  '{{n}}',
  '{{now}}',
  '{{now ms}}',
  '{{uuid}}',
  '{{random 1 100}}',
];

const sources = [['template', mark('Template')] as const, ['script', mark('Script')] as const];

/** What the script gets. */
const device = ['device.number', 'device.id', 'device.n', 'device.now'];

function ScriptCode({ fleet }: { fleet: Fleet }) {
  const problem = fleet.errors.value.code ?? '';
  return (
    <div class="fleet-code field">
      <Code
        api="fleet"
        value={fleet.form.value.code}
        problem={problem}
        onEdit={(code: string) => fleet.edit({ code })}
      />
      <FieldError>{problem}</FieldError>
      <p class="field-hint wrap small-text">
        {parts('Returns {message}, and is given: {names}', {
          message: <code>{'{ topic, payload }'}</code>,
          names: device.flatMap((name) => [
            ' ',
            <code key={name} class="nowrap">
              {name}
            </code>,
          ]),
        })}
      </p>
    </div>
  );
}

export function Setup({ id, fleet }: { id: string; fleet: Fleet }) {
  const form = fleet.form.value;
  const errors = fleet.errors.value;
  const isScript = form.by === 'script';
  const { text, choice, flag } = fieldsOf<FleetForm>(form, errors, fleet.edit);
  return (
    <form id={id} class="fleet-setup stack roomy" aria-label={t('Fleet')} onSubmit={submits(fleet.start)}>
      <fieldset class="stack roomy" disabled={fleet.running.value}>
        <legend class="visually-hidden">{t('What the devices do')}</legend>
        <div class="fields">
          {text(t('Devices'), 'devices')}
          {text(t('Messages a second, each'), 'rate')}
          {text(t('Stop after, seconds'), 'duration', { placeholder: '∞' })}
        </div>
        {Number(form.devices) > mostSockets && (
          <p class="field-hint small-text">
            {t(
              'Browsers limit how many WebSockets are open at once: Chromium 255, Firefox 200. Further devices fail and try again.',
            )}
          </p>
        )}
        <div class="fields fleet-wide">
          {text(t('Client ID'), 'clientId')}
          <Select
            label={t('Messages by')}
            value={isScript ? 'script' : 'template'}
            options={translated(sources)}
            onEdit={(by) => fleet.edit({ by })}
          />
          {isScript ? text(t('Topic filter'), 'filter') : text(t('Topic'), 'topic')}
        </div>
        {isScript ? (
          <ScriptCode fleet={fleet} />
        ) : (
          <Field
            label={t('Payload')}
            error={errors.payload}
            hint={parts('In client IDs, topics and payloads: {places}', {
              places: places.flatMap((place) => [
                ' ',
                <code key={place} class="nowrap">
                  {place}
                </code>,
              ]),
            })}
            control={(attributes) => (
              <textarea
                {...attributes}
                class="input mono"
                rows={2}
                spellcheck={false}
                value={form.payload}
                onInput={(event) => fleet.edit({ payload: event.currentTarget.value })}
              />
            )}
          />
        )}
        <div class="fields">
          {choice('QoS', 'qos', mixed)}
          {text(t('Jitter, ± percent'), 'jitter')}
          {text(t('Clocks off by, ± seconds'), 'skew')}
          {text(t('Connections a second'), 'ramp')}
        </div>
        {flag(t('Measure round trip and loss with a subscriber'), 'measure')}
        <h3>{t('Trouble')}</h3>
        <div class="fields">
          {text(t('Drop-outs a minute, each'), 'dropOuts')}
          {text(t('Away for, seconds'), 'away')}
          {text(t('Reconnect storm every, seconds'), 'storm')}
        </div>
        <div class="fields">
          {text(t('Will topic'), 'willTopic', { placeholder: t('none') })}
          {text(t('Will payload'), 'willPayload')}
          {choice(t('Will QoS'), 'willQos', levels)}
        </div>
      </fieldset>
    </form>
  );
}
