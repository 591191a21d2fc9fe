/** Looks closely at what was opened last: a message, a topic or a packet. */

import { t } from '../../core/i18n/i18n';
import type { Inspected, PartProps } from '../../session/page';
import { onDemand } from '../../ui/on-demand';
import { Empty } from '../feed/empty';

const parts = {
  message: onDemand<PartProps>(async () => (await import('../feed/details')).Details),
  topic: onDemand<PartProps>(async () => (await import('../topics/details')).Details),
  packet: onDemand<PartProps>(async () => (await import('../packets/packet-details')).PacketDetails),
} satisfies Record<Inspected, unknown>;

export function Inspector({ page, session }: PartProps) {
  const [what] = page.inspected.value;
  const Part = what && parts[what];
  return (
    <div class="inspector fill">
      {Part ? (
        <Part key={`${what} ${session.id}`} page={page} session={session} />
      ) : (
        <Empty of={[t('Nothing selected'), t('Select a message or a topic to look at it here.')]} />
      )}
    </div>
  );
}
