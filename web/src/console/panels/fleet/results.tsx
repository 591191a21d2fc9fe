import { computed, signal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import type { Fleet, Sample } from '../../automation/fleet';
import { csvOf, jsonOf } from '../../automation/fleet-export';
import type { Figures, Problem, ProblemKind } from '../../automation/fleet-figures';
import { formatReasonCode, inOneLine } from '../../core/failure';
import { mark, t } from '../../core/i18n/i18n';
import { saveAs } from '../../core/save-as';
import { formatCount } from '../../core/text';
import { explain } from '../../session/explain';
import type { Series } from '../../topics/series';
import { Button } from '../../ui/button';
import { type Fact, Facts } from '../../ui/facts';
import { useTold } from '../../ui/told';
import { Said, Toolbar } from '../../ui/toolbar';
import { Charts } from '../topics/charts';

function formatMs(milliseconds: number | undefined): string {
  if (milliseconds === undefined) return '–';
  if (milliseconds >= 10_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  return `${milliseconds < 10 ? milliseconds.toFixed(1) : formatCount(Math.round(milliseconds))} ms`;
}

const perSecond = (rate: number): string =>
  `${rate < 10 ? rate.toFixed(1) : formatCount(Math.round(rate))}/s`;

/** When it is over, the rates are on average over the whole run. */
function factsOf(figures: Figures, devices: string, measured: boolean, over: boolean): Fact[] {
  const { byQoS, elapsed, lastStorm } = figures;
  const facts: Fact[] = [];
  const add = (name: string, value: string, more?: Pick<Fact, 'title' | 'alarm'>) =>
    facts.push({ name, value, ...more });
  const addSome = (name: string, count: number, more?: Pick<Fact, 'title' | 'alarm'>) =>
    count > 0 && add(name, formatCount(count), more);
  const average = (name: 'sent' | 'received') =>
    (byQoS.reduce((sum, of) => sum + of[name], 0) / Math.max(1, elapsed)) * 1000;

  if (!over) {
    add(t('Connected'), t('{count} of {all}', { count: figures.connected, all: Number(devices) }));
    addSome(t('Connecting'), figures.connecting);
    addSome(t('Away'), figures.away);
  }
  addSome(t('Refused'), figures.refused, { alarm: true });
  if (over) add(t('Sent, on average'), perSecond(average('sent')));
  else add(t('Sent'), perSecond(figures.sentRate));
  if (measured) {
    if (over) add(t('Received, on average'), perSecond(average('received')));
    else add(t('Received'), perSecond(figures.receivedRate));
    add(t('Round trip, p50'), formatMs(figures.p50));
    add(t('Round trip, p99'), formatMs(figures.p99));
  }
  add(t('Acknowledged in, p50'), formatMs(figures.ackP50));
  add(t('Acknowledged in, p99'), formatMs(figures.ackP99));
  add(t('Time'), `${formatCount(Math.round(elapsed / 1000))} s`);
  addSome(t('Drop-outs'), figures.dropOuts);
  addSome(t('Wills received'), figures.wills);
  addSome(t('Reconnect storms'), figures.storms);
  if (lastStorm) {
    const { devices: count, took } = lastStorm;
    const words = took === undefined ? '…' : t('{count} in {time}', { count, time: formatMs(took) });
    add(t('Back from the last storm'), words);
  }
  addSome(t('Not sent'), figures.skipped, {
    title: t('Left out: too many were still unacknowledged or not yet received, or the browser was too slow'),
    alarm: true,
  });
  addSome(t('Gaps of the subscriber'), figures.gaps, {
    title: t('How often the subscriber lost its own connection: what it missed counts as lost'),
    alarm: true,
  });
  return facts;
}

function Deliveries({ figures, measured }: { figures: Figures; measured: boolean }) {
  return (
    <div class="stack">
      {figures.byQoS
        .filter(({ sent }) => sent > 0)
        .map(({ qos, sent, acknowledged, failed, received, onTheWay, lost, duplicates, late }) => {
          const fact = (name: string, count: number, alarm = false): Fact => {
            return { name, value: formatCount(count), alarm: alarm && count > 0 };
          };
          const facts = [
            fact(t('Sent'), sent),
            fact(t('Acknowledged'), acknowledged),
            fact(t('Not acknowledged'), failed, true),
          ];
          if (measured) {
            facts.push(
              fact(t('Received'), received),
              fact(t('On the way'), onTheWay),
              fact(t('Lost'), lost, true),
              fact(t('Duplicates'), duplicates, true),
              fact(t('Late'), late, true),
            );
          }
          return (
            <div key={qos} class="line roomy from-top">
              <span class="tag" data-qos={qos}>
                QoS {qos}
              </span>
              <Facts look="line" class="grow" label={`QoS ${qos}`} facts={facts} />
            </div>
          );
        })}
    </div>
  );
}

const kinds: Record<ProblemKind, string> = {
  connect: mark('Refused'),
  lost: mark('Connection lost'),
  publish: mark('Not published'),
  subscriber: mark('Subscriber’s connection lost'),
};

function reasonOf({ failure }: Problem, url: string): string {
  const { title } = explain(failure, { url, page: location.href });
  const { reasonCode } = failure;
  return reasonCode === undefined
    ? `${title} · ${inOneLine(failure)}`
    : `${title} · ${formatReasonCode(reasonCode)}`;
}

function Problems({ problems, url }: { problems: readonly Problem[]; url: string }) {
  if (problems.length === 0) return null;
  return (
    <table aria-label={t('Problems by reason')}>
      <thead>
        <tr>
          <th scope="col">{t('Problem')}</th>
          <th scope="col">{t('Reason')}</th>
          <th scope="col">{t('Times')}</th>
        </tr>
      </thead>
      <tbody>
        {problems.map((problem, index) => (
          <tr key={index}>
            <td>{t(kinds[problem.kind])}</td>
            <td class="wrap">{reasonOf(problem, url)}</td>
            <td>{formatCount(problem.count)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const plots = ['devices', 'rate', 'ms', 'lost'] as const;

/** Name, the plot it is in, and the value. */
const lines: [title: string, plot: (typeof plots)[number], value: (sample: Sample) => number | undefined][] =
  [
    [mark('Connected'), 'devices', ({ connected }) => connected],
    [mark('Sent'), 'rate', ({ sent }) => sent],
    [mark('Received'), 'rate', ({ received }) => received],
    [mark('Round trip, p50'), 'ms', ({ p50 }) => p50],
    [mark('Round trip, p99'), 'ms', ({ p99 }) => p99],
    [mark('Lost'), 'lost', ({ lost }) => lost],
  ];

function seriesOf(samples: readonly Sample[]): Series[] {
  return lines.flatMap(([title, name, read], id): Series | [] => {
    // One more plot each second, from the last one up, which has the time axis: making all of
    // them in one task would hold the page up.
    if (plots.length - plots.indexOf(name) >= samples.length) return [];
    const known = samples.filter((sample) => read(sample) !== undefined);
    return {
      id,
      topic: t(title),
      path: '',
      name,
      colour: id,
      times: known.map(({ at }) => at),
      values: known.map((sample) => read(sample) as number),
      missing: 0,
      skipped: 0,
    };
  });
}

function Chart({ samples }: { samples: readonly Sample[] }) {
  const chart = useMemo(() => {
    const all = signal<readonly Series[]>([]);
    const hidden = signal<readonly number[]>([]);
    return {
      all,
      charted: computed(() => all.value.filter(({ id }) => !hidden.value.includes(id))),
      span: signal(0),
      unchart: (id: number) => {
        hidden.value = [...hidden.value, id];
      },
    };
  }, []);
  useMemo(() => {
    chart.all.value = seriesOf(samples);
  }, [chart, samples]);
  return <Charts bench={chart} label={t('Charts of the fleet')} />;
}

export function Results({ fleet }: { fleet: Fleet }) {
  const said = useTold();
  const run = fleet.run.value;
  if (!run?.figures) return null;
  const { figures, form, address, samples } = run;

  function save(format: 'csv' | 'json'): void {
    if (!run) return;
    const text = format === 'csv' ? csvOf(run) : jsonOf(run);
    const time = new Date(run.begun).toISOString().replace(/[:.]/g, '-');
    saveAs(`mqttwasm-fleet-${time}.${format}`, new Blob([text], { type: 'text/plain' }));
    said.value = () => t('Saved');
  }

  return (
    <section class="fleet-results stack roomy" aria-label={t('Figures of the fleet')}>
      <Facts look="cells" facts={factsOf(figures, form.devices, form.measure, !fleet.running.value)} />
      <Deliveries figures={figures} measured={form.measure} />
      <Problems problems={figures.problems} url={address} />
      {samples.length > 1 && <Chart key={run.begun} samples={samples} />}
      <Toolbar>
        <Button small aria-label={t('Export as {format}', { format: 'CSV' })} onClick={() => save('csv')}>
          CSV
        </Button>
        <Button small aria-label={t('Export as {format}', { format: 'JSON' })} onClick={() => save('json')}>
          JSON
        </Button>
        <Said>{said.value}</Said>
      </Toolbar>
    </section>
  );
}
