/** The fleet: what its devices do, and its results. */

import { useId } from 'preact/hooks';
import { type Fleet, fleetOf } from '../../automation/fleet';
import { mostInPublic } from '../../automation/fleet-plan';
import { parts, t } from '../../core/i18n/i18n';
import { limits } from '../../core/limits';
import { brief, visible } from '../../core/text';
import { explain } from '../../session/explain';
import type { Session } from '../../session/session';
import { Button } from '../../ui/button';
import { Dialog } from '../../ui/dialog';
import { Toolbar } from '../../ui/toolbar';
import { Results } from './results';
import { Setup } from './setup';
import '../../styles/view.css';
import './fleet.css';

function stateOf(fleet: Fleet): string {
  const { value: run } = fleet.run;
  if (!fleet.running.value) {
    if (fleet.failure.value || fleet.scriptEnd.value) return t('Failed');
    return run ? t('Ended') : t('Not started');
  }
  switch (run?.figures?.phase) {
    case 'running':
      return t('Running');
    case 'stopping':
      return t('Stopping: waiting for messages in flight');
    default:
      return t('Starting');
  }
}

function Failed({ fleet }: { fleet: Fleet }) {
  const failure = fleet.failure.value;
  if (!failure) return null;
  const { title, advice, detail } = explain(failure, { url: fleet.address(), page: location.href });
  return (
    <div class="alarm stack" role="alert">
      <p>{title}</p>
      <p>{advice}</p>
      {failure.code !== 'crashed' && fleet.form.value.measure && (
        <p>{t('This is the subscriber that measures. The fleet can run without it.')}</p>
      )}
      {detail && <p class="mono">{brief(detail, limits.notice)}</p>}
    </div>
  );
}

function ScriptEnded({ fleet }: { fleet: Fleet }) {
  const why = fleet.scriptEnd.value;
  if (why === undefined) return null;
  return (
    <div class="alarm stack" role="alert">
      <p>{t('The script has ended the fleet')}</p>
      <p class="wrap mono">{visible(why)}</p>
      <p>{t('What was sent before is counted. Fix the script and start again.')}</p>
    </div>
  );
}

function Agreement({ fleet }: { fleet: Fleet }) {
  const address = fleet.asking.value;
  if (address === undefined) return null;
  const { devices, rate } = fleet.form.value;
  return (
    <Dialog title={t('Load a broker on the internet?')} onClose={fleet.decline}>
      <p>
        {parts(
          '{devices} clients connect to {address} and publish up to {rate} messages a second together.',
          {
            devices: Number(devices),
            address: <bdi class="mono">{brief(address, limits.name)}</bdi>,
            rate: Math.ceil(Number(devices) * Number(rate)),
          },
        )}
      </p>
      <p>
        {fleet.reach() === 'public broker'
          ? t(
              'It is public: others use it too, and can read what the devices send. At most {count} devices.',
              { count: mostInPublic.devices },
            )
          : t('Do this only if its operator agrees. It may cost money and affect others.')}
      </p>
      <Toolbar end>
        <Button look="primary" onClick={fleet.agree}>
          {t('Start the fleet')}
        </Button>
        <Button onClick={fleet.decline}>{t('Cancel')}</Button>
      </Toolbar>
    </Dialog>
  );
}

export function FleetPanel({ session }: { session: Session }) {
  const heading = useId();
  const form = useId();
  const fleet = session.part(fleetOf);
  const running = fleet.running.value;
  const phase = fleet.run.value?.figures?.phase;
  const address = fleet.address();
  return (
    <section class="view fleet" aria-labelledby={heading}>
      <header class="view-head flow small-text">
        <h2 id={heading} class="visually-hidden">
          {t('Fleet')}
        </h2>
        <p class="wrap">
          <b role="status" aria-label={t('State of the fleet')}>
            {stateOf(fleet)}
          </b>{' '}
          <span class="muted">
            {address === ''
              ? t('Choose a broker above.')
              : parts('Devices go to {address}', { address: <bdi>{brief(address, limits.name)}</bdi> })}
          </span>
        </p>
        <Toolbar end>
          {running && phase === 'running' && (
            <Button
              title={t('Cuts all connections at once; all devices reconnect at once')}
              onClick={fleet.storm}
            >
              {t('Reconnect storm')}
            </Button>
          )}
          {running ? (
            <Button look="stop" onClick={fleet.stop}>
              {phase === 'stopping' ? t('Stop now') : t('Stop')}
            </Button>
          ) : (
            <Button look="primary" type="submit" form={form} disabled={address === ''}>
              {t('Start')}
            </Button>
          )}
        </Toolbar>
      </header>
      <div class="view-body scrolls">
        <Failed fleet={fleet} />
        <ScriptEnded fleet={fleet} />
        <Results fleet={fleet} />
        <Setup id={form} fleet={fleet} />
      </div>
      <Agreement fleet={fleet} />
    </section>
  );
}
