import { all } from '../contestants/names';
import { bytes, flooder, inPage, newId, type Work } from './work';

const milliseconds = 1500;

/** As fast as the client publishes, counted by the server. */
export const publish: Work[] = ([0, 1, 2] as const).flatMap((qos) =>
  [64, 1024].map(
    (size): Work => ({
      rows: [
        {
          id: `publish-qos${qos}-${size}`,
          group: 'Publish',
          title: `QoS ${qos}, ${bytes(size)}`,
          unit: 'msg/s',
          better: 'more',
        },
      ],
      contestants: all.filter((name) => name !== 'mqttwasm-batch'),
      measure: (place, name) =>
        inPage(place, async (page) => {
          const id = newId();
          return [
            await page.call('publish', name, { url: flooder(place, { id }), id, qos, size, milliseconds }),
          ];
        }),
    }),
  ),
);

/** Bytes per message on the wire, with WebSocket headers. */
export const wire: Work = {
  rows: [
    ['hello', 'connect and subscribe'],
    ['qos0', 'publish 64 B, QoS 0'],
    ['qos1', 'publish 64 B, QoS 1'],
    ['qos2', 'publish 64 B, QoS 2'],
  ].map(([id, title]) => ({
    id: `wire-${id}`,
    group: 'Bytes sent',
    title: String(title),
    unit: 'B',
    better: 'less',
  })),
  contestants: ['bare', 'mqttjs', 'paho', 'mqttwasm'],
  rounds: 1,
  measure: (place, name) =>
    inPage(place, (page) => {
      const id = newId();
      return page.call('wire', name, { url: flooder(place, { id }), id });
    }),
};
