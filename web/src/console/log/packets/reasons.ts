import type { PacketName } from '../../../client/packet';
import { ReasonCodes } from '../../../client/reason-codes';
import { formatReasonCode } from '../../core/failure';
import { t } from '../../core/i18n/i18n';

/** Such as `0x87 Not authorized`. What 0 says depends on the packet. */
export function reasonOf(code: number, cmd: PacketName): string {
  let name = ReasonCodes[code] ?? t('unknown');
  if (code === 0 && cmd === 'disconnect') name = 'Normal disconnection';
  if (code === 0 && cmd === 'suback') name = 'Granted QoS 0';
  return `${formatReasonCode(code)} ${name}`;
}
