import { all } from '../contestants/names';
import { latencyRows } from './latency';
import { inPage, type Work } from './work';

/** Fewer than brokers queue for a slow client; some drop the excess, even at QoS 1. */
const count = 5000;

const rounds = 3;

const contestants = all.filter((name) => name !== 'mqttwasm-batch');

/**
 * The default when CONNECT has none, as with MQTT.js. Mosquitto 2.0.11 exceeds a Receive Maximum once
 * messages are queued: one PUBACK releases many.
 */
const receiveMaximum = 65_535;

/** The same with real brokers, which may then be the bottleneck. */
export const brokers: Work[] = [
  ...(['mosquitto', 'embedded'] as const).flatMap((broker): Work[] => {
    const group = broker === 'mosquitto' ? 'mosquitto' : 'The embedded broker';
    return [
      {
        rows: [
          { id: `${broker}-receive`, group, title: 'receive QoS 1, 64 B', unit: 'msg/s', better: 'more' },
        ],
        contestants,
        rounds,
        measure: (place, name) =>
          inPage(place, async (page) => {
            const { ws, tcp } = place.servers.brokers[broker];
            const publisher = `/publish?broker=${tcp}&size=64&count=${count}`;
            const { rate } = await page.call('receiveFrom', name, {
              url: ws,
              qos: 1,
              publisher,
              receiveMaximum,
            });
            return [rate];
          }),
      },
      publishing(broker, group, 'publish QoS 1, 64 B'),
      {
        rows: latencyRows(`${broker}-latency`, group, 'round trip at 100/s'),
        contestants,
        rounds,
        measure: (place, name) =>
          inPage(place, async (page) => {
            const { ws: url } = place.servers.brokers[broker];
            const { p50, p99, p999 } = await page.call('latency', name, {
              url,
              rate: 100,
              milliseconds: 3000,
            });
            return [p50, p99, p999];
          }),
      },
    ];
  }),
  // MQTT.js and Paho JS exceed the broker's Receive Maximum; with 20, mosquitto's default, keeping to it
  // would take most of the time.
  publishing('wide', 'mosquitto', 'publish QoS 1, 64 B, Receive Maximum 1,000'),
];

function publishing(broker: 'mosquitto' | 'embedded' | 'wide', group: string, title: string): Work {
  return {
    rows: [{ id: `${broker}-publish`, group, title, unit: 'msg/s', better: 'more' }],
    contestants,
    ...(broker === 'embedded' && { rounds }), // five where there is a target
    measure: (place, name) =>
      inPage(place, async (page) => {
        const { ws: url } = place.servers.brokers[broker];
        const options = { url, qos: 1, size: 64, milliseconds: 1500 } as const;
        return [await page.call('publishAcknowledged', name, options)];
      }),
  };
}
