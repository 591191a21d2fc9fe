import { useEffect, useId, useState } from 'preact/hooks';
import { messages, values } from '../../core/counts';
import { limits } from '../../core/limits';
import { brief, formatBytes, formatCount, formatSmall } from '../../core/text';
import { type BrokerStore, createBrokerStore, filter } from '../../session/broker/broker-store';
import type { Gauge } from '../../session/broker/gauges';
import { isAwsIot } from '../../session/known';
import type { Session } from '../../session/session';
import { TextField } from '../../ui/fields';
import { Sparkline } from '../../ui/sparkline';
import { useVisible } from '../../ui/visible';
import '../../styles/view.css';
import './broker.css';
import { parts, t } from '../../core/i18n/i18n';

function formatDuration(seconds: number): string {
  const [days = 0, hours = 0, minutes = 0] = [
    seconds / 86_400,
    (seconds / 3600) % 24,
    (seconds / 60) % 60,
  ].map(Math.floor);
  if (days) return t('{days} d {hours} h', { days: formatCount(days), hours });
  if (hours) return t('{hours} h {minutes} min', { hours, minutes });
  if (minutes) return t('{minutes} min {seconds} s', { minutes, seconds: Math.floor(seconds % 60) });
  return t('{seconds} s', { seconds: Math.floor(seconds) });
}

function formatValue({ measure, text, value }: Gauge): string {
  if (text !== undefined) return brief(text, limits.sys.text);
  if (value === undefined) return '…';
  switch (measure.kind) {
    case 'duration':
      return formatDuration(value);
    case 'bytes':
      return formatBytes(Math.round(value));
    case 'rate':
      return `${formatSmall(value)}/s`;
    case 'byte rate':
      return `${formatBytes(Math.round(value))}/s`;
    default:
      return formatCount(value);
  }
}

function Tile({ gauge }: { gauge: Gauge }) {
  const { measure, points } = gauge;
  const label = t(measure.label);
  const value = formatValue(gauge);
  const charted = measure.kind !== 'text' && measure.kind !== 'duration';
  const format = (value: number) => formatValue({ ...gauge, value });
  const ys = points.map(([, y]) => y);
  const range =
    ys.length > 0
      ? t('{low} to {high}', { low: format(Math.min(...ys)), high: format(Math.max(...ys)) })
      : t('no values yet');
  return (
    <li class="gauge box surface" data-kind={measure.kind}>
      <span class="muted">{label}</span>
      <bdi
        class="gauge-value wrap bold"
        title={value === '…' ? t('Known after two rounds of values') : undefined}
      >
        {value}
      </bdi>
      {charted && (
        <Sparkline points={points} label={t('{measure} over time: {range}', { measure: label, range })} />
      )}
    </li>
  );
}

function Values({ store }: { store: BrokerStore }) {
  const [text, setText] = useState('');
  store.tick.value;
  const { gauges } = store;
  const { found, shown } = gauges.rows(text);
  return (
    <section class="broker-values stack box surface" aria-label={t('All values')}>
      <search class="flow">
        <TextField
          type="search"
          class="bare stretch narrow"
          label={t('Search values')}
          placeholder={t('Search values')}
          value={text}
          onEdit={setText}
        />
        <output class="muted">
          {text === ''
            ? values(gauges.size)
            : t('{found} of {values}', { found: formatCount(found), values: values(gauges.size) })}
        </output>
      </search>
      <table>
        <thead>
          <tr>
            <th scope="col">{t('Topic')}</th>
            <th scope="col">{t('Value')}</th>
          </tr>
        </thead>
        <tbody>
          {shown.map(([topic, name, value]) => (
            <tr key={topic}>
              <td>
                <bdi>{name}</bdi>
              </td>
              <td>
                <bdi>{value}</bdi>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {found > shown.length && (
        <p class="muted">
          {t('The first {count} are shown: search for others.', { count: formatCount(limits.sys.rows) })}
        </p>
      )}
      {gauges.beyond > 0 && (
        <p class="muted">
          {t('{messages} arrived on topics that there was no room for.', {
            messages: messages(gauges.beyond),
          })}
        </p>
      )}
    </section>
  );
}

function stateOf(
  store: BrokerStore,
  connected: boolean,
  aws: boolean,
): [title: string, advice: string] | undefined {
  if (!connected) return [t('Not connected'), t('Connect to a broker to see what it says about itself.')];
  if (aws) {
    return [
      t('AWS IoT has no {filter}', { filter }),
      t(
        'It ends the connection of any client that subscribes to it, so this page does not. Its metrics are in CloudWatch.',
      ),
    ];
  }
  switch (store.phase.value) {
    case 'asking':
    case 'granted':
      return [
        t('One moment'),
        t('Subscribing to {filter}, where brokers publish their own figures.', { filter }),
      ];
    case 'silent':
      return [
        t('Nothing from the broker yet'),
        t(
          'It accepted the subscription to {filter} and has sent nothing yet. Some brokers, such as HiveMQ, publish nothing there, and others only now and then.',
          { filter },
        ),
      ];
    case 'failed':
      return [
        t('The broker’s figures are not available'),
        t('The subscription to {filter} failed; public brokers often forbid it. {reason}', {
          filter,
          reason: store.problem.value,
        }),
      ];
    default:
      return undefined;
  }
}

const storeOf = () => createBrokerStore();

export function BrokerPanel({ session, shown }: { session: Session; shown: boolean }) {
  const { connection } = session;
  const heading = useId();
  const store = session.part(storeOf);
  const client = connection.client.value;
  const visible = useVisible();
  const { phase, url } = connection.status.value;
  const connected = client !== undefined && phase === 'connected';
  const aws = isAwsIot(url);

  // Depends on the client, not only its connection: the client resubscribes by itself.
  useEffect(() => {
    store.look(shown && visible && !aws ? client : undefined);
    return () => store.look(undefined);
  }, [store, shown, visible, aws, client]);

  const state = stateOf(store, connected, aws);
  store.tick.value;
  const live = store.phase.value === 'live' && store.gauges.size > 0;
  return (
    <section class="view broker" aria-labelledby={heading}>
      <header class="view-head">
        <h2 id={heading} class="visually-hidden">
          {t('Broker')}
        </h2>
        <p class="muted">
          {parts('Live from {filter} while this view is open', { filter: <code>{filter}</code> })}
        </p>
      </header>
      <div class="view-body scrolls">
        {state && (
          <div class="broker-state stack tight wrap" role="status" aria-label={t('Broker values')}>
            <p class="empty-title">{state[0]}</p>
            <p>{state[1]}</p>
          </div>
        )}
        {live && connected && (
          <>
            <ul class="gauges" aria-label={t('Figures')}>
              {store.gauges.gauges().map((gauge) => (
                <Tile key={gauge.measure.label} gauge={gauge} />
              ))}
            </ul>
            <Values store={store} />
          </>
        )}
      </div>
    </section>
  );
}
