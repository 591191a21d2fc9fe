import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { t } from '../language/language';
import type { Workbench } from './workbench';
import './chart.css';

/** Loads the chart with the first line on it. */
export function ChartPlace({ bench }: { bench: Workbench }) {
  const [Chart, setChart] = useState<ComponentType<{ bench: Workbench }>>();
  const [failed, setFailed] = useState(false);
  const wanted = bench.charted.value.length > 0;

  useEffect(() => {
    if (!wanted || Chart || failed) return;
    import('./chart').then(
      (loaded) => setChart(() => loaded.Chart),
      () => setFailed(true),
    );
  }, [wanted, Chart, failed]);

  if (!wanted) return null;
  if (Chart) return <Chart bench={bench} />;
  return (
    <section class="topics-chart" aria-label={t('Chart')}>
      {failed ? (
        <p role="alert">
          {t('The chart could not be loaded.')}{' '}
          <button type="button" class="link" onClick={() => setFailed(false)}>
            {t('Try again')}
          </button>
        </p>
      ) : (
        <p class="empty-line">{t('Loading…')}</p>
      )}
    </section>
  );
}
