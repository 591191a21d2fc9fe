/** Records the packets of a connection while its switch is on, also when the client changes. */

import { effect, type ReadonlySignal, type Signal } from '@preact/signals';
import type { Client } from '../../../client';
import type { Packet } from '../../../client/packet';
import { createTold } from '../../core/i18n/i18n';
import { wordsOf } from '../../core/text';
import type { PacketLog } from './packet-log';

interface Source {
  readonly client: ReadonlySignal<Client | undefined>;
  /** The switch, which is also used when connecting. */
  readonly packetEvents: Signal<boolean>;
}

export type Recorder = ReturnType<typeof createRecorder>;

export function createRecorder({ client, packetEvents: on }: Source, log: PacketLog) {
  /** Why packets can't be recorded. */
  const problem = createTold();

  const stop = effect(() => {
    const source = client.value;
    if (!source || !on.value) return;
    const onSend = (packet: Packet): void => log.push(true, packet);
    const onReceive = (packet: Packet): void => log.push(false, packet);
    source.on('packetsend', onSend).on('packetreceive', onReceive);
    problem.value = '';
    let left = false;
    source.setPacketEvents(true).catch((error: unknown) => {
      if (!left) problem.value = () => wordsOf(error);
    });
    return () => {
      left = true;
      source.off('packetsend', onSend).off('packetreceive', onReceive);
      source.setPacketEvents(false).catch(() => {
        // It has ended.
      });
    };
  });

  function dispose(): void {
    stop();
    log.dispose();
  }

  return { log, on, problem, dispose };
}
