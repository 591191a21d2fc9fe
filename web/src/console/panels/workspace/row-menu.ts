/** The commands of a row, which its context menu has. */

import { t } from '../../core/i18n/i18n';
import { limits } from '../../core/limits';
import { brief, formatCount, visible } from '../../core/text';
import { benchOf } from '../../session/bench';
import type { Page } from '../../session/page';
import type { Session } from '../../session/session';
import { type TopicNode, topicOf } from '../../topics/model';
import { pathsIn } from '../../topics/number';
import { filterOf } from '../../topics/preview';
import { copyOrTell } from '../../ui/copy';
import { type Command, openMenu } from '../../ui/menu';
import { compose, feedCommands, messageCommands, moreCommands, topicCommands } from '../feed/actions';

/** Numbers of a value that are offered for the chart. */
const numbers = 3;

interface Offer {
  topic: string;
  commands: Command[];
}

const publishHere = (page: Page, topic: string, session: Session): Command => ({
  text: t('Publish here'),
  run: () => compose(page, { topic }, session.id),
});

function ofMessage(page: Page, position: number): Offer | undefined {
  const entry = page.feed.at(position)?.entry;
  return (
    entry && {
      topic: entry.message.topic,
      commands: [...messageCommands(page, entry), ...moreCommands(page, entry, copyOrTell)],
    }
  );
}

function ofNode(page: Page, session: Session, node: TopicNode): Offer {
  const bench = session.part(benchOf);
  const topic = topicOf(node);
  const { payload, properties, at } = node.last ?? {};
  const birth = session.birthBefore({ topic, receivedAt: at ?? 0 });
  const paths = payload && properties ? pathsIn({ topic, payload, properties }, numbers, birth) : [];
  const commands = [
    publishHere(page, topic, session),
    ...topicCommands(page, filterOf(node)),
    ...paths.map((path) => ({
      text: path ? t('Chart {path}', { path: brief(path, limits.name) }) : t('Chart'),
      run: async () => bench.chart(node, path),
    })),
    { text: t('Copy topic'), run: () => copyOrTell(topic) },
  ];
  if (node.retainedBelow > 0) {
    commands.push({
      text: t('Clear retained ({count})…', { count: formatCount(node.retainedBelow) }),
      stop: true,
      run: () => bench.askToClear(node),
    });
  }
  return { topic, commands };
}

function ofSubscription(page: Page, session: Session, shown: string): Offer | undefined {
  const { subscriptions } = session;
  const entry = subscriptions.entries.peek().find(({ filter }) => visible(filter) === shown);
  if (!entry) return undefined;
  // What a shared subscription selects (4.8.2).
  const filter = entry.filter.replace(/^\$share\/[^/]+\//, '');
  return {
    topic: entry.filter,
    commands: [
      ...(/[+#]/.test(filter) ? [] : [publishHere(page, filter, session)]),
      ...feedCommands(page, filter),
      { text: t('Unsubscribe'), stop: true, run: () => void subscriptions.unsubscribe(entry) },
    ],
  };
}

/** `button`: the first in the row, as it was. */
export function openRowMenu(page: Page, event: MouseEvent, row: Element, button?: Node): void {
  const session = page.sessions.active.peek();
  const { dataset, title = '' } = (button ?? {}) as Partial<HTMLElement>;
  let at: Element | null = row;
  let offer: Offer | undefined;
  if (row.matches('.tree')) {
    const node = session.part(benchOf).active.peek();
    at = (event.target as Element).closest('[role=treeitem]');
    // The Menu key is for the active row, and the pointer may be below all rows.
    if (event.button !== 2) at ??= document.getElementById(row.getAttribute('aria-activedescendant') ?? '');
    offer = node && ofNode(page, session, node);
  } else if (dataset?.position) offer = ofMessage(page, Number(dataset.position));
  else offer = ofSubscription(page, session, title);
  const parent = row.closest('main');
  if (!at || !offer || !parent) return;
  const { left, right, top, bottom } = at.getBoundingClientRect();
  const { clientX: x, clientY: y } = event;
  const pointed = x >= left && x < right && y >= top && y < bottom;
  openMenu(parent, {
    label: brief(offer.topic, limits.name),
    commands: offer.commands,
    place: pointed ? { left: x, top: y, bottom: y } : { left, top, bottom },
  });
}
