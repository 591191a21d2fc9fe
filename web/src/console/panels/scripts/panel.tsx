/** Scripts: those in this browser, which are on, and their log. */

import { useSignal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { bounds } from '../../automation/bounds';
import { examples } from '../../automation/examples';
import type { Host, State } from '../../automation/host';
import { automationOf } from '../../automation/scripts';
import { largestFile, nameFrom, type Script, textOf } from '../../automation/text';
import { mistakeIn } from '../../core/failure';
import { plural, t } from '../../core/i18n/i18n';
import { readText } from '../../core/read-text';
import { saveAs } from '../../core/save-as';
import { formatTime, visible } from '../../core/text';
import type { PartProps } from '../../session/page';
import { profilesOf } from '../../session/profiles';
import type { Session } from '../../session/session';
import { withoutSecrets } from '../../session/settings';
import { Button, FileButton } from '../../ui/button';
import { Checkbox, FieldError, fieldsOf } from '../../ui/fields';
import { Menu } from '../../ui/menu';
import { onDemand } from '../../ui/on-demand';
import { Empty } from '../feed/empty';
import { TryOut } from './try';
import '../../styles/view.css';
import './scripts.css';

const Code = onDemand(async () => (await import('./code')).Code);

const save = (name: string, scripts: readonly Script[]) =>
  saveAs(`${name}.js`, new Blob([textOf(scripts)], { type: 'text/javascript' }));

/** Of the client in use, or the one that the form would make. */
const addressOf = ({ client, connection }: Session): string =>
  client.value?.url ?? connection.settings.value.url;

const isOn = (session: Session, { name }: Script): boolean => session.scripts.on.value.names.includes(name);

function stateWords(
  session: Session,
  script: Script,
  state: State | undefined,
  stop: string | undefined,
): string {
  if (script.foreign) return t('imported: look at it before you switch it on');
  if (!isOn(session, script)) return stop ?? t('off');
  const { url } = session.scripts.on.value;
  if (!state) return t('waits for {broker}', { broker: visible(url || addressOf(session)) });
  if (state.phase === 'starting') return t('starting');
  const { messages, failed, published, dropped, refused } = state;
  return [
    plural(messages, '{count} message', '{count} messages'),
    failed > 0 && t('{count} failed', { count: failed }),
    published > 0 && t('{count} published', { count: published }),
    refused > 0 && t('{count} not published', { count: refused }),
    dropped > 0 && t('{count} left out: too many at once', { count: dropped }),
  ]
    .filter(Boolean)
    .join(', ');
}

interface RowProps {
  session: Session;
  host: Host;
  script: Script;
  selected: boolean;
  onSelect(): void;
  onTurn(on: boolean): void;
}

function Row({ session, host, script, selected, onSelect, onTurn }: RowProps) {
  const { name, filter } = script;
  const on = isOn(session, script);
  const stop = host.stops.value.get(name);
  return (
    <li class="script-row line tight box" data-selected={selected}>
      <Checkbox
        label={t('On')}
        name={t('Run {name}', { name: visible(name) })}
        checked={on}
        onEdit={onTurn}
      />
      <button type="button" class="script-open item" aria-pressed={selected} onClick={onSelect}>
        <bdi class="clip">{visible(name)}</bdi>
        <bdi class="mono fine clip">{visible(filter)}</bdi>
        <span class="fine clip" data-stopped={!on && stop !== undefined}>
          {stateWords(session, script, host.states.value.get(name), stop)}
        </span>
      </button>
    </li>
  );
}

interface DetailsProps extends PartProps {
  host: Host;
  script: Script;
  place: RefObject<HTMLDivElement | null>;
  onStart(): void;
  onRename(name: string): void;
}

const { mostPublications } = bounds.perSecond;
const isRate = (typed: string) => /^\d{1,4}$/.test(typed) && Number(typed) <= mostPublications;

function Details({ page, session, host, script, place, onStart, onRename }: DetailsProps) {
  const { library } = page.part(automationOf);
  const profiles = page.part(profilesOf);
  const [typed, setTyped] = useState(() => ({ ...script, rate: String(script.rate) }));
  const on = isOn(session, script);
  const free = nameFrom(typed.name);
  const taken = free !== script.name && library.find(free) !== undefined;
  const problem = typed.code.length > bounds.code ? library.problem.value : '';
  const changed = host.states.value.get(script.name)?.changed;
  const change = (changes: Partial<Script>) => library.change(script.name, changes);

  /** What is wrong stays in its field only. */
  function edit(changes: Partial<typeof typed>): void {
    setTyped({ ...typed, ...changes });
    const { name, filter, rate, code } = changes;
    if (code !== undefined) change({ code });
    if (filter !== undefined && !mistakeIn(filter)) change({ filter });
    if (rate !== undefined && isRate(rate)) change({ rate: Number(rate) });
    if (name === undefined || on) return;
    const next = nameFrom(name);
    if (!change({ name: next })) return;
    if (next !== script.name) profiles.follow(script.name, next);
    onRename(next);
  }

  const errors = {
    name: !free ? t('A name to find it by') : taken ? t('There is already one with this name') : '',
    filter: mistakeIn(typed.filter),
    rate: isRate(typed.rate) ? '' : t('A whole number from 0 to {count}', { count: mostPublications }),
  };
  const { text } = fieldsOf(typed, errors, edit);
  return (
    <div class="stack roomy">
      <div class="fields">
        {text(t('Name'), 'name', { hint: on && t('Switch it off to rename it.') })}
        {text(t('Topic filter'), 'filter')}
        {text(t('Publishes per second, at most'), 'rate')}
      </div>
      <div ref={place} class="script-code">
        <Code value={typed.code} problem={problem} onEdit={(code: string) => edit({ code })} />
      </div>
      <FieldError>{problem}</FieldError>
      <div class="flow">
        {script.foreign && (
          <Button small look="primary" onClick={onStart}>
            {t('I have read it: switch it on')}
          </Button>
        )}
        {changed && (
          <Button small look="primary" onClick={() => host.restart(script.name)}>
            {t('Restart with the changes')}
          </Button>
        )}
        <Button small onClick={() => save(script.name, [script])}>
          {t('Export')}
        </Button>
        <Button
          small
          look="stop"
          onClick={() => {
            if (on) host.turn(script.name, false, session.scripts.on.peek().url);
            library.remove(script.name);
            profiles.follow(script.name);
          }}
        >
          {t('Delete')}
        </Button>
      </div>
      <TryOut page={page} script={script} />
    </div>
  );
}

const kinds = { log: '', error: '⚠ ', alert: '● ' } as const;

function Log({ host }: { host: Host }) {
  const lines = host.log.value;
  return (
    <section>
      <header class="flow">
        <h3>{t('Log')}</h3>
        <Button small look="quiet" disabled={lines.length === 0} onClick={host.clear}>
          {t('Clear')}
        </Button>
      </header>
      {/* What scrolls is reached by keyboard. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: see above */}
      <div class="script-lines box" role="log" aria-label={t('Script log')} aria-live="off" tabIndex={0}>
        {lines.length === 0 && <p class="empty-line">{t('What scripts log appears here.')}</p>}
        {lines.toReversed().map(({ number, at, by, kind, text }) => (
          <p key={number} class="script-line mono wrap" data-kind={kind}>
            <time class="fine">{formatTime(at)}</time> <bdi class="fine">{visible(by)}</bdi> {kinds[kind]}
            {visible(text)}
          </p>
        ))}
      </div>
    </section>
  );
}

/**
 * Browsers allow the question only on a click, and only once. It is explained when a notification
 * was missed.
 */
function AllowNotifications({ host }: { host: Host }) {
  const look = () => globalThis.Notification?.permission ?? 'denied';
  const [permission, setPermission] = useState(look);
  useEffect(() => {
    const gone = new AbortController();
    const changed = () => setPermission(look());
    navigator.permissions?.query({ name: 'notifications' }).then(
      (status) => status.addEventListener('change', changed, { signal: gone.signal }),
      () => {}, // some browsers don't support this permission here
    );
    return () => gone.abort();
  }, []);
  if (permission === 'default') {
    return (
      <Button small look="quiet" onClick={async () => setPermission(await Notification.requestPermission())}>
        {t('Allow notifications')}
      </Button>
    );
  }
  if (permission === 'granted' || host.log.value.every(({ kind }) => kind !== 'alert')) return null;
  return (
    <p class="fine wrap" role="status" aria-label={t('Notifications')}>
      {isSecureContext
        ? t('This browser blocks notifications from this page. Allow them in its settings for this site.')
        : t('Browsers show notifications only for pages opened over https. Alerts still mark their rows.')}
    </p>
  );
}

/** Whether the code in `place` can be read: most of it is on the screen, and the editor has loaded. */
function isInSight(place: HTMLElement | null): boolean {
  const view = place?.closest('.scripts-body')?.getBoundingClientRect();
  const editor = place?.querySelector('[data-editor]')?.getBoundingClientRect();
  if (!view || !editor) return false;
  const seen = Math.min(editor.bottom, view.bottom, innerHeight) - Math.max(editor.top, view.top, 0);
  return editor.height > 0 && seen >= editor.height / 2;
}

export function ScriptsPanel({ page, session }: PartProps) {
  const { library, of } = page.part(automationOf);
  const host = of(session);
  const chosen = useSignal<string | undefined>(undefined);
  const said = useSignal('');
  const scripts = library.entries.value;
  const selected = scripts.find(({ name }) => name === chosen.value);
  /** Keeps the fields when the script is renamed. */
  const opened = useSignal(0);
  const place = useRef<HTMLDivElement>(null);

  function open(name: string, inSight = true): void {
    if (chosen.peek() !== name) opened.value++;
    chosen.value = name;
    // Once it is drawn.
    if (inSight) requestAnimationFrame(() => place.current?.scrollIntoView({ block: 'nearest' }));
  }

  function turn({ name, foreign }: Script, on: boolean): void {
    const unread = on && foreign && !(chosen.peek() === name && isInSight(place.current));
    open(name, unread);
    said.value = unread ? t('It came from a file. Read its code, and then switch it on.') : '';
    if (unread || (on && foreign && !library.change(name, { foreign: false }))) return;
    host.turn(name, on, addressOf(session));
  }

  function create(name: string, code: string): void {
    const filter = session.subscriptions.entries.peek().at(-1)?.filter ?? '#';
    const made = library.add({ name, filter, code, rate: bounds.perSecond.publications });
    if (made[0] !== undefined) open(made[0]);
  }

  async function read(files: File[]): Promise<void> {
    let count = 0;
    for (const file of files) {
      const text = await readText(file, largestFile, library.problem);
      const names = text === undefined ? [] : library.addText(text, file.name);
      const [first] = names;
      // Or the next one would hide the reason.
      if (first === undefined) break;
      count += names.length;
      open(first, false);
    }
    said.value =
      count > 0
        ? plural(count, '{count} script imported, switched off.', '{count} scripts imported, switched off.')
        : '';
  }

  const elsewhere = session.scripts.on.value.url !== withoutSecrets(addressOf(session));
  return (
    <section class="view scripts" aria-label={t('Scripts')}>
      <header class="feed-head flow">
        <Menu
          label={t('New script')}
          commands={examples.map(({ name, code }) => ({ text: t(name), run: () => create(t(name), code) }))}
        />
        <FileButton small label={t('Import scripts')} accept=".js,.txt,text/javascript" onFiles={read} />
        <Button small disabled={scripts.length === 0} onClick={() => save('mqttwasm-scripts', scripts)}>
          {t('Export all')}
        </Button>
        <AllowNotifications host={host} />
      </header>
      <div class="scripts-body column scrolls">
        <FieldError>{library.problem.value}</FieldError>
        <p class="unless-empty wrap" role="status" aria-label={t('Scripts')}>
          {said.value}
        </p>
        {scripts.length === 0 ? (
          <Empty
            of={[
              t('No scripts yet'),
              t('A script decodes, answers or watches messages. It stays in this browser.'),
            ]}
          />
        ) : (
          <ul class="stack" aria-label={t('Scripts')}>
            {scripts.map((script) => (
              <Row
                key={script.name}
                session={session}
                host={host}
                script={script}
                selected={script === selected}
                onSelect={() => open(script.name)}
                onTurn={(on) => turn(script, on)}
              />
            ))}
          </ul>
        )}
        {elsewhere && session.scripts.on.value.names.length > 0 && (
          <p class="fine wrap">
            {t('Scripts that are on were switched on for another broker, and run only there.')}
          </p>
        )}
        {selected && (
          <Details
            key={`${session.id} ${opened.value}`}
            page={page}
            session={session}
            host={host}
            script={selected}
            place={place}
            onStart={() => turn(selected, true)}
            onRename={(name) => {
              chosen.value = name;
            }}
          />
        )}
        <Log host={host} />
      </div>
    </section>
  );
}
