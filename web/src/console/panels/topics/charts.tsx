import { t } from '../../core/i18n/i18n';
import type { Workbench } from '../../topics/workbench';
import { onDemand } from '../../ui/on-demand';
import './chart.css';

const Chart = onDemand(async () => (await import('./chart')).Chart);

/** The pane of a connection's charts, which is not there while it has none. */
export function Charts({ bench }: { bench: Workbench }) {
  if (bench.charted.value.length === 0) return null;
  return (
    <section class="charts" aria-label={t('Charts')}>
      <Chart bench={bench} />
    </section>
  );
}
