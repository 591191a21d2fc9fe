/** For tests: a feed whose frames and searches the test plays. */

import type { Message } from '../../client';
import { createChoices } from '../payload/choices';
import { createFeed } from './feed';
import { find, type Haystack, type Pattern, split } from './find';
import { fakeTiming } from './testing';

export const MiB = 1024 * 1024;

export function made(most?: number) {
  const asked: Haystack[] = [];
  const state = { drops: 0, fail: undefined as Error | undefined };
  const time = fakeTiming();
  const feed = createFeed(
    {
      ...time,
      choices: createChoices(),
      finder: {
        async find(pattern: Pattern, haystack: Haystack) {
          asked.push(haystack);
          if (state.fail) throw state.fail;
          return find(pattern, haystack);
        },
        split: async (pattern, texts) => texts.map((text) => split(pattern, text)),
        drop: () => {
          state.drops++;
        },
      },
    },
    most,
  );
  return { ...time, feed, asked, state };
}

export function message({
  text = '',
  ...rest
}: Omit<Partial<Message>, 'text'> & { text?: string } = {}): Message {
  const payload = new TextEncoder().encode(text);
  return { topic: 'a/b', payload, qos: 0, retain: false, properties: {}, size: 10, ...rest } as Message;
}

export const via = { id: 1, name: 'one' };

export const messages = (count: number, size = 10) => Array.from({ length: count }, () => message({ size }));

export function topics({ feed }: ReturnType<typeof made>): string[] {
  const { first, end } = feed.view.value;
  return Array.from({ length: end - first }, (_, index) => {
    return feed.at(first + index)?.entry.message.topic ?? 'gone';
  });
}
