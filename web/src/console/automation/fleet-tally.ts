/** What a fleet counts of its messages, how long they took, and how many there are in a second. */

import { createHistogram, type Figures } from './fleet-figures';

/** Milliseconds over which rates and the recent round trips are taken. */
const span = 1000;

export function createTally(begun: number) {
  const roundTrips = createHistogram();
  const recent = createHistogram();
  const acknowledgements = createHistogram();
  /** By QoS, as what follows. */
  const sent: [number, number, number] = [0, 0, 0];
  const acknowledged: [number, number, number] = [0, 0, 0];
  const failed: [number, number, number] = [0, 0, 0];
  let received = 0;
  /** Of the last second: when, and what had been sent and received by then. */
  const past: { at: number; sent: number; received: number }[] = [];
  let latest: Figures['recent'] = { p50: undefined, p99: undefined };
  let sampledAt = begun;

  function arrived(took: number): void {
    received++;
    roundTrips.add(took);
    recent.add(took);
  }

  function rates(at: number): Pick<Figures, 'sentRate' | 'receivedRate'> {
    const total = sent.reduce((all, some) => all + some, 0);
    past.push({ at, sent: total, received });
    while ((past[1]?.at ?? at) <= at - span) past.shift();
    const [first] = past;
    const seconds = first ? (at - first.at) / 1000 : 0;
    return first && seconds > 0
      ? { sentRate: (total - first.sent) / seconds, receivedRate: (received - first.received) / seconds }
      : { sentRate: 0, receivedRate: 0 };
  }

  /** To be called several times a second. */
  function report(at: number) {
    if (at - sampledAt >= span) {
      sampledAt = at;
      latest = { p50: recent.percentile(0.5), p99: recent.percentile(0.99) };
      recent.clear();
    }
    return {
      ...rates(at),
      p50: roundTrips.percentile(0.5),
      p99: roundTrips.percentile(0.99),
      recent: latest,
      ackP50: acknowledgements.percentile(0.5),
      ackP99: acknowledgements.percentile(0.99),
    };
  }

  return { sent, acknowledged, failed, arrived, acknowledgements, report };
}
