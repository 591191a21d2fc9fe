/** What can be done with a message. */

import { t } from '../../core/i18n/i18n';
import { limits } from '../../core/limits';
import { brief, hex } from '../../core/text';
import type { Entry } from '../../log/entry';
import type { Message } from '../../session/message';
import type { Page } from '../../session/page';
import { again, replyTo } from '../../session/resend';
import type { Session } from '../../session/session';
import { editPayload } from '../../shortcuts/actions';
import { Button } from '../../ui/button';
import { useCopied } from '../../ui/copy';
import { type Command, Menu } from '../../ui/menu';
import { Said, Toolbar } from '../../ui/toolbar';

/** The connection of a message, or the one that is shown. */
function sessionOf({ sessions }: Page, id?: number): Session {
  return sessions.list.peek().find((one) => one.id === id) ?? sessions.active.peek();
}

/** Puts a message into the form of its connection. */
export function compose(page: Page, message: Partial<Message>, id?: number): void {
  const session = sessionOf(page, id);
  page.sessions.show(session);
  // Without the correlation data of an earlier request.
  session.publisher.edit({ correlation: undefined, ...message });
  editPayload(page);
}

export const publishHere = (page: Page, topic: string, id?: number): Command => ({
  text: t('Publish here'),
  run: () => compose(page, { topic }, id),
});

/** What the feed can do about a topic, or about a branch of topics. */
export function feedCommands({ feed }: Page, filter: string): Command[] {
  const { muted } = feed.filter.value;
  const others = muted.filter((other) => other !== filter);
  const mute =
    others.length < muted.length
      ? { text: t('Unmute this topic'), run: () => feed.edit({ muted: others }) }
      : { text: t('Mute this topic'), run: () => feed.edit({ muted: [...muted, filter] }) };
  return [{ text: t('Show only this topic'), run: () => feed.edit({ topic: filter }) }, mute];
}

/** What can be done with a topic, or with a branch of topics. */
export function topicCommands(page: Page, filter: string): Command[] {
  return [
    ...feedCommands(page, filter),
    {
      text: t('Subscribe to this topic'),
      run() {
        const { subscriptions } = page.sessions.active.peek();
        subscriptions.edit({ filter });
        void subscriptions.subscribe();
      },
    },
  ];
}

export function messageCommands(page: Page, { message, via }: Entry): Command[] {
  const session = sessionOf(page, via.id);
  // The connection may have changed to another broker, where no answer is expected.
  const turned = session.id === via.id && session.name.value !== via.name;
  const reply = turned ? undefined : replyTo(message);
  const into = (text: string, what: () => Partial<Message>) => ({
    text: turned ? `${text} (${brief(session.name.value, limits.name)})` : text,
    run: () => compose(page, what(), via.id),
  });
  return [
    ...(reply ? [into(t('Reply'), () => reply)] : []),
    into(t('Publish here'), () => ({ topic: message.topic })),
    into(t('Edit and resend'), () => again(message)),
  ];
}

/** `copy` reports the outcome, or returns it. */
export function moreCommands(
  page: Page,
  entry: Entry,
  copy: (text: string | Promise<string>) => unknown,
): Command[] {
  const { topic, payload } = entry.message;
  return [
    ...topicCommands(page, topic),
    { text: t('Copy topic'), run: () => copy(topic) },
    {
      text: t('Copy as JSON'),
      run: () => copy(import('../../log/record').then(({ json }) => json(entry))),
    },
    { text: t('Copy bytes as hex'), run: () => copy(hex(payload)) },
  ];
}

export function Actions({ page, entry }: { page: Page; entry: Entry }) {
  const [said, copy] = useCopied();
  return (
    <Toolbar>
      {messageCommands(page, entry).map(({ text, run }) => (
        <Button small key={text} onClick={run}>
          {text}
        </Button>
      ))}
      <Menu label={t('More')} commands={moreCommands(page, entry, copy)} />
      <Said>{said}</Said>
    </Toolbar>
  );
}
