import { t } from '../../core/i18n/i18n';
import { onDemand } from '../../ui/on-demand';
import type { Charted } from './chart';
import './chart.css';

const Chart = onDemand(async () => (await import('./chart')).Chart);

/** The pane of a connection's charts; nothing while it has none. */
export function Charts({ bench, label = t('Charts') }: { bench: Charted; label?: string }) {
  if (bench.charted.value.length === 0) return null;
  return (
    <section class="charts column rigid" aria-label={label}>
      <Chart bench={bench} />
    </section>
  );
}
