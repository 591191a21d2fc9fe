import { parts, t } from '../../core/i18n/i18n';
import { formatRoundTrip, type Latency, pace, spreadOf } from '../../session/latency';
import { Sparkline } from '../../ui/sparkline';

/** The round-trip times of the last few minutes. */
export function RoundTrips({ latency }: { latency: Latency }) {
  const list = latency.list.value;
  const spread = spreadOf(list);
  if (!spread) return null;
  const words = t('{least} to {most}, median {median}', {
    least: formatRoundTrip(spread.least),
    most: formatRoundTrip(spread.most),
    median: formatRoundTrip(spread.median),
  });
  const points = list.flatMap((took, at): [number, number][] => (took === undefined ? [] : [[at, took]]));
  const unanswered = list.length - points.length;
  return (
    <figure class="session-trips stack muted">
      <figcaption>
        {parts(unanswered > 0 ? 'Round-trip time {spread}, {count} unanswered' : 'Round-trip time {spread}', {
          spread: <b>{words}</b>,
          count: unanswered,
        })}
      </figcaption>
      <Sparkline
        points={points}
        label={t('Round-trip times, one every {seconds} seconds: {words}', { seconds: pace / 1000, words })}
      />
    </figure>
  );
}
