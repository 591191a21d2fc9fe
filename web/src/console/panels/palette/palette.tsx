import { useId, useMemo, useRef, useState } from 'preact/hooks';
import { mark, t } from '../../core/i18n/i18n';
import { limits } from '../../core/limits';
import { distance, enter, type Match } from '../../core/match';
import { brief } from '../../core/text';
import type { Page } from '../../session/page';
import { readProfiles } from '../../session/profiles';
import type { Keys } from '../../shortcuts/keys';
import type { Shortcuts } from '../../shortcuts/store';
import { type TopicNode, topicOf } from '../../topics/model';
import { Dialog } from '../../ui/dialog';
import { asTyped } from '../../ui/fields';
import { Options, optionId, useOptions } from '../../ui/options';
import { KeyNames } from '../shortcuts/key-names';
import { useLookup } from './lookup';
import './palette.css';

interface Entry {
  key: string;
  words: string;
  /** Shown beside the text, marked for translation. */
  kind: string;
  keys?: Keys | undefined;
  run(): void;
}

/** All but the topics, as far as they are known when it opens. */
function entriesOf(page: Page, shortcuts: Shortcuts): Entry[] {
  const { active, list, show } = page.sessions;
  const commands = shortcuts.groups.flatMap(({ title, shortcuts: some }) =>
    some.flatMap(({ keys, words, run }): Entry[] =>
      run ? [{ key: `command ${words}`, words: t(words), kind: title, keys, run }] : [],
    ),
  );
  const profiles = readProfiles().map((profile) => ({
    key: `profile ${profile.name}`,
    words: profile.name,
    kind: mark('Profile'),
    run() {
      const session = active.peek();
      session.use(profile);
      void session.connection.connect();
    },
  }));
  const others = list.peek().filter((session) => session !== active.peek());
  const connections = others.map((session) => ({
    key: `connection ${session.id}`,
    words: session.name.peek(),
    kind: mark('Connection'),
    run: () => show(session),
  }));
  return [...connections, ...profiles, ...commands];
}

async function showTopic(page: Page, node: TopicNode): Promise<void> {
  page.show('topics');
  const { benchOf } = await import('../../session/bench');
  page.sessions.active.peek().part(benchOf).reveal(node);
}

export function Palette({ page, shortcuts }: { page: Page; shortcuts: Shortcuts }) {
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const [typed, setTyped] = useState(shortcuts.early);
  const wanted = typed.trim();
  const all = useMemo(() => entriesOf(page, shortcuts), [page, shortcuts]);
  const topics = useLookup(page.sessions.active.value.topics.model, wanted, limits.palette);

  const nearest: Match<Entry>[] = [];
  let count = topics.count;
  const take = (item: Entry, loose: boolean) => {
    const far = distance(item.words, wanted, loose);
    if (far === undefined) return false;
    enter(nearest, { item, distance: far }, limits.palette);
    return true;
  };
  for (const entry of all) if (take(entry, true)) count++;
  for (const node of topics.nodes) {
    const words = topicOf(node);
    take({ key: `topic ${words}`, words, kind: mark('Topic'), run: () => void showTopic(page, node) }, false);
  }
  const entries = nearest.map(({ item }) => item);

  function close(): void {
    // Closes at once, so that the focus returns before a command moves it elsewhere.
    box.current?.closest('dialog')?.close();
  }
  function choose(index: number): void {
    close();
    entries[index]?.run();
  }
  const { active, press, reset } = useOptions(entries.length, 0, choose);

  return (
    <Dialog
      wide
      title={t('Find a command, topic or profile')}
      closeLabel={t('Close')}
      onClose={() => {
        // What was chosen may have opened the other dialog.
        if (shortcuts.shown.value === 'palette') shortcuts.shown.value = undefined;
      }}
    >
      <div class="palette stack" ref={box}>
        <input
          class="input"
          type="text"
          role="combobox"
          aria-label={t('Command, topic or profile')}
          aria-expanded="true"
          aria-autocomplete="list"
          aria-controls={id}
          aria-activedescendant={optionId(id, active)}
          {...asTyped}
          autofocus
          value={typed}
          onInput={(event) => {
            setTyped(event.currentTarget.value);
            reset();
          }}
          onKeyDown={(event) => {
            if (press(event) || event.key !== 'k' || !(event.ctrlKey || event.metaKey)) return;
            event.preventDefault();
            close();
          }}
        />
        <Options
          id={id}
          label={t('Found')}
          active={active}
          options={entries.map(({ key, words, kind, keys }) => ({
            key,
            content: (
              <>
                <bdi class="grow clip">{brief(words, limits.topic)}</bdi>
                <span class="fine muted">{t(kind)}</span>
                <span class="line tight">
                  <KeyNames keys={keys} />
                </span>
              </>
            ),
          }))}
          onChoose={choose}
        />
        <p class="empty-line" role="status">
          {entries.length === 0
            ? t('Nothing matches.')
            : count > entries.length &&
              t('{count} more: type more to find them.', { count: count - entries.length })}
        </p>
      </div>
    </Dialog>
  );
}
