import { all, contestants, type Name } from '../contestants/names';
import { bytes, flooder, inPage, type Work } from './work';

/**
 * Messages per flood, by payload size and messages per frame: about a second for the faster clients on a fast
 * machine. Shorter floods would mostly measure JIT compilation.
 */
const counts: Record<number, { [frame: number]: number }> = {
  16: { 1: 40_000, 20: 400_000 },
  64: { 1: 40_000, 20: 400_000 },
  1024: { 1: 40_000, 20: 200_000 },
  65536: { 1: 6000, 20: 6000 },
  262144: { 1: 2400, 20: 2400 },
};

/** With twenty messages in a frame MQTT.js takes 10 to 100 times as long as the others, so it gets fewer. */
function share(name: Name, size: number, frame: number): number {
  if (frame === 1 || !name.startsWith('mqttjs')) return 1;
  return size > 1024 ? 1 / 4 : size === 1024 ? 1 / 32 : 1 / 8;
}

/** As fast as the connection allows. Messages that a client drops don't count. */
export const receive: Work[] = ([0, 1] as const).flatMap((qos) =>
  [1, 20].flatMap((frame) =>
    Object.keys(counts).map((key): Work => {
      const size = Number(key);
      const packets = frame === 1 ? 'one in a frame' : `${frame} in a frame`;
      const title = `QoS ${qos}, ${bytes(size)}, ${packets}`;
      return {
        rows: [
          {
            id: `receive-qos${qos}-${size}-${frame}`,
            group: 'Receive',
            title,
            unit: 'msg/s',
            better: 'more',
          },
        ],
        contestants: all,
        // Five where there is a target.
        ...(qos > 0 && !(size === 64 && frame === 20) && { rounds: 3 }),
        measure: (place, name) =>
          inPage(place, async (page) => {
            const url = flooder(place, { size, frame, qos });
            const messages = (counts[size]?.[frame] ?? 0) * share(name, size, frame);
            const { rate, messages: got } = await page.call('receive', name, {
              url,
              qos,
              messages,
              warmUp: messages / 5,
            });
            if (got < messages) place.note(`${contestants[name]} lost messages: ${title}`);
            return [rate];
          }),
      };
    }),
  ),
);
