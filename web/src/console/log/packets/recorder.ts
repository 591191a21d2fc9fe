/** Records the packets of a connection, whichever client it has, while its switch is on. */

import { effect, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Client } from '../../../client';
import type { Packet } from '../../../client/packet';
import type { Paint } from '../../core/paint';
import { createPacketLog, type PacketLog } from './packet-log';

export interface Recorder {
  log: PacketLog;
  on: Signal<boolean>;
  /** Why packets are not told of. */
  problem: Signal<string>;
  dispose(): void;
}

interface Source {
  readonly client: ReadonlySignal<Client | undefined>;
  /** The switch, which connecting asks too. */
  readonly packetEvents: Signal<boolean>;
}

export function createRecorder(source: Source, paint: Paint): Recorder {
  const log = createPacketLog(paint);
  const on = source.packetEvents;
  const problem = signal('');

  const dispose = effect(() => {
    const client = source.client.value;
    if (!client || !on.value) return;
    const onSend = (packet: Packet): void => log.push(true, packet);
    const onReceive = (packet: Packet): void => log.push(false, packet);
    client.on('packetsend', onSend).on('packetreceive', onReceive);
    problem.value = '';
    client.setPacketEvents(true).catch((error: unknown) => {
      problem.value = error instanceof Error ? error.message : String(error);
    });
    return () => {
      client.off('packetsend', onSend).off('packetreceive', onReceive);
      client.setPacketEvents(false).catch(() => {
        // It has ended, and tells of nothing any more.
      });
    };
  });

  return { log, on, problem, dispose };
}
