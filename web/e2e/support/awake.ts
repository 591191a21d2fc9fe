import { connect } from 'node:net';
import { type as kind, packet, varint } from './scripted';

/**
 * mosquitto 2.0 handles its WebSockets once per loop iteration, 4 KiB at a time, and sleeps up to 100 ms
 * between iterations when no TCP client sends anything: 1 MiB takes half a minute. This TCP client keeps it
 * awake with a PINGREQ after each PINGRESP. Returns a function that stops it.
 */
export function keepAwake(tcpPort: number): () => Promise<void> {
  const socket = connect(tcpPort, '127.0.0.1');
  const clientId = Buffer.from('\0\x05awake');
  const keepAlive = Buffer.from([0, 60]);
  socket.write(packet(kind.connect, 0, Buffer.from('\0\x04MQTT\x05\x02'), keepAlive, varint(0), clientId));
  // A thousand iterations a second are enough, and leave CPU time for others.
  socket.on('data', () => setTimeout(() => socket.write(packet(kind.pingreq, 0)), 1));
  return async () => {
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.destroy();
    await closed;
  };
}
