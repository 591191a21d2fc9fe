/** What can be done with a message. */

import { t } from '../../core/i18n/i18n';
import { hex } from '../../core/text';
import type { Entry } from '../../log/entry';
import type { Message } from '../../session/message';
import type { Page } from '../../session/page';
import { again, replyTo } from '../../session/resend';
import { Button } from '../../ui/button';
import { useCopied } from '../../ui/copy';
import { type Command, Menu } from '../../ui/menu';
import { Said, Toolbar } from '../../ui/toolbar';

/** Puts a message into the form of the connection that it came by, or of the one that is shown. */
export function compose(page: Page, message: Partial<Message>, id?: number): void {
  const { sessions, view, screen } = page;
  const session = sessions.list.peek().find((one) => one.id === id) ?? sessions.active.peek();
  sessions.show(session);
  session.publisher.edit(message);
  if (screen.peek() === 'narrow') view.value = 'publish';
  requestAnimationFrame(() =>
    document.querySelector<HTMLElement>('#publish :is(textarea, .publish-file button)')?.focus(),
  );
}

/** What can be done with a topic, or with a branch of topics. */
export function topicCommands(page: Page, filter: string): Command[] {
  const { feed, sessions } = page;
  const { muted } = feed.filter.value;
  return [
    { text: t('Show only this topic'), run: () => feed.edit({ topic: filter }) },
    { text: t('Mute this topic'), run: () => feed.edit({ muted: [...new Set([...muted, filter])] }) },
    {
      text: t('Subscribe to this topic'),
      run() {
        const { subscriptions } = sessions.active.peek();
        subscriptions.edit({ filter });
        void subscriptions.subscribe();
      },
    },
  ];
}

export function Actions({ page, entry }: { page: Page; entry: Entry }) {
  const { message, via } = entry;
  const { topic, payload } = message;
  const [said, copy] = useCopied();
  const reply = replyTo(message);
  return (
    <Toolbar>
      {reply && (
        <Button small onClick={() => compose(page, reply, via.id)}>
          {t('Reply')}
        </Button>
      )}
      <Button small onClick={() => compose(page, { topic }, via.id)}>
        {t('Publish here')}
      </Button>
      <Button small onClick={() => compose(page, again(message), via.id)}>
        {t('Edit and resend')}
      </Button>
      <Menu
        label={t('More')}
        commands={[
          ...topicCommands(page, topic),
          { text: t('Copy topic'), run: () => copy(topic) },
          {
            text: t('Copy as JSON'),
            run: () => copy(import('../../log/record').then(({ json }) => json(entry))),
          },
          { text: t('Copy bytes as hex'), run: () => copy(hex(payload)) },
        ]}
      />
      <Said>{said}</Said>
    </Toolbar>
  );
}
