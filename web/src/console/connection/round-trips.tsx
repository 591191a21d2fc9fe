import { Sparkline } from '../ui/sparkline';
import { formatRoundTrip, pace, roundTripsOf, spreadOf } from './latency';
import type { Connection } from './store';

/** The round-trip times of the last few minutes. */
export function RoundTrips({ connection }: { connection: Connection }) {
  const client = connection.client.value;
  const list = client ? roundTripsOf(client).value : [];
  const spread = spreadOf(list);
  if (!spread) return null;
  const words = `${formatRoundTrip(spread.least)} to ${formatRoundTrip(spread.most)}, median ${formatRoundTrip(spread.median)}`;
  const points = list.flatMap((took, at): [number, number][] => (took === undefined ? [] : [[at, took]]));
  const unanswered = list.length - points.length;
  return (
    <figure class="session-trips">
      <figcaption>
        Round-trip time <b>{words}</b>
        {unanswered > 0 && `, ${unanswered} unanswered`}
      </figcaption>
      <Sparkline points={points} label={`Round-trip times, one every ${pace / 1000} seconds: ${words}`} />
    </figure>
  );
}
