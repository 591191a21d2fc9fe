/** The commands of a row, which its context menu has. */

import { matchedPart } from '../../../client/routing/topic-filter';
import { t } from '../../core/i18n/i18n';
import { limits } from '../../core/limits';
import { brief, formatCount } from '../../core/text';
import { benchOf } from '../../session/bench';
import type { Page } from '../../session/page';
import { readingsOf } from '../../session/readings';
import type { Session } from '../../session/session';
import { type TopicNode, topicOf } from '../../topics/model';
import { pathsIn } from '../../topics/number';
import { filterOf } from '../../topics/preview';
import { copyOrTell } from '../../ui/copy';
import { type Command, openMenu } from '../../ui/menu';
import { feedCommands, messageCommands, moreCommands, publishHere, topicCommands } from '../feed/actions';

/** Numbers of a value that are offered for the chart. */
const numbers = 3;

interface Offer {
  topic: string;
  commands: Command[];
}

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
  const decoded = session.part(readingsOf).of({ topic, receivedAt: at ?? 0 });
  const paths =
    payload && properties
      ? pathsIn({ topic, payload, properties, decoded }, session.choices.recall(topic), numbers, birth)
      : [];
  const commands = [
    publishHere(page, topic, session.id),
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

function ofSubscription(page: Page, session: Session, filter?: string): Offer | undefined {
  const { subscriptions } = session;
  const entry = subscriptions.entries.peek().find((one) => one.filter === filter);
  if (!entry) return undefined;
  const part = matchedPart(entry.filter);
  return {
    topic: entry.filter,
    commands: [
      ...(/[+#]/.test(part) ? [] : [publishHere(page, part, session.id)]),
      ...feedCommands(page, part),
      { text: t('Unsubscribe'), stop: true, run: () => void subscriptions.unsubscribe(entry) },
    ],
  };
}

/** `dataset`: of the row, or of the first button in it, as it was. */
export function openRowMenu(page: Page, event: MouseEvent, row: Element, dataset: DOMStringMap): void {
  const session = page.sessions.active.peek();
  let at: Element | null = row;
  let offer: Offer | undefined;
  if (row.matches('.tree')) {
    const node = session.part(benchOf).active.peek();
    at = (event.target as Element).closest('[role=treeitem]');
    // The Menu key applies to the active row; the pointer may be below all rows.
    if (event.button !== 2) at ??= document.getElementById(row.getAttribute('aria-activedescendant') ?? '');
    offer = node && ofNode(page, session, node);
  } else if (dataset.position) offer = ofMessage(page, Number(dataset.position));
  else offer = ofSubscription(page, session, dataset.filter);
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
