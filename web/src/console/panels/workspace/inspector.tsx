/** Looks closely at what was opened last: a message, a topic or a packet. */

import { t } from '../../core/i18n/i18n';
import type { Inspected, Page } from '../../session/page';
import type { Session } from '../../session/session';
import { onDemand } from '../../ui/on-demand';
import { Empty } from '../feed/empty';

interface Props {
  page: Page;
  session: Session;
}

const parts = {
  message: onDemand<Props>(async () => (await import('../feed/details')).Details),
  topic: onDemand<Props>(async () => (await import('../topics/details')).Details),
  packet: onDemand<Props>(async () => (await import('../packets/packet-details')).PacketDetails),
} satisfies Record<Inspected, unknown>;

export function Inspector({ page, session }: Props) {
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
