/** What can be done with a message. */

import { t } from '../../core/i18n/i18n';
import { hex } from '../../core/text';
import type { Entry } from '../../log/entry';
import type { Message } from '../../session/message';
import type { Page } from '../../session/page';
import { again, replyTo } from '../../session/resend';
import { editPayload } from '../../shortcuts/actions';
import { Button } from '../../ui/button';
import { useCopied } from '../../ui/copy';
import { type Command, Menu } from '../../ui/menu';
import { Said, Toolbar } from '../../ui/toolbar';

/** Puts a message into the form of the connection that it came by, or of the one that is shown. */
export function compose(page: Page, message: Partial<Message>, id?: number): void {
  const { sessions } = page;
  const session = sessions.list.peek().find((one) => one.id === id) ?? sessions.active.peek();
  sessions.show(session);
  // What was meant to answer one request goes to nobody else.
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
  return [
    { text: t('Show only this topic'), run: () => feed.edit({ topic: filter }) },
    { text: t('Mute this topic'), run: () => feed.edit({ muted: [...new Set([...muted, filter])] }) },
  ];
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
  const reply = replyTo(message);
  const into = (text: string, what: () => Partial<Message>) => ({
    text,
    run: () => compose(page, what(), via.id),
  });
  return [
    ...(reply ? [into(t('Reply'), () => reply)] : []),
    publishHere(page, message.topic, via.id),
    into(t('Edit and resend'), () => again(message)),
  ];
}

/** `copy` tells what came of it, or returns that. */
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
