/** Runs a script on a message of the feed, received or from a recording, and publishes nothing. */

import { useMemo, useState } from 'preact/hooks';
import { compile } from '../../../client/routing/topic-filter';
import { automationOf } from '../../automation/scripts';
import type { Script } from '../../automation/text';
import type { Tried } from '../../automation/trial';
import { t } from '../../core/i18n/i18n';
import { limits } from '../../core/limits';
import { brief, formatTime } from '../../core/text';
import type { Entry } from '../../log/entry';
import { scanJson } from '../../payload/codecs/json';
import { createLines } from '../../payload/lines';
import type { Page } from '../../session/page';
import { Button } from '../../ui/button';
import { Select } from '../../ui/fields';
import { Block } from '../../ui/payload/block';
import '../../ui/payload/payload.css';

/** Messages to choose from, and entries of the feed that are looked at for them. */
const most = 20;
const looked = 20_000;

function newest({ feed }: Page, filter: string): Entry[] {
  const selects = compile(filter);
  const found: Entry[] = [];
  const open = feed.open.peek()?.entry;
  if (open) found.push(open);
  for (let number = feed.next() - 1, n = 0; n < looked && found.length < most; number--, n++) {
    const entry = feed.get(number);
    if (!entry) break;
    if (entry !== open && !entry.sent && selects(entry.message.topic)) found.push(entry);
  }
  return found;
}

function Outcome({ tried: { json, did } }: { tried: Tried }) {
  const lines = useMemo(() => {
    if (json === undefined) return undefined;
    const out = createLines(limits.payload.lines);
    scanJson(json, out);
    return out.lines;
  }, [json]);
  return (
    <>
      {did.map(({ kind, text }, n) => (
        <p key={n} class="script-line mono wrap" data-kind={kind}>
          {text}
        </p>
      ))}
      {lines ? (
        <Block lines={lines} shown={limits.payload.lines} />
      ) : (
        <p class="fine muted">{t('It returned no value.')}</p>
      )}
    </>
  );
}

export function TryOut({ page, script }: { page: Page; script: Script }) {
  const { trial } = page.part(automationOf);
  const [chosen, setChosen] = useState<Entry>();
  const [tried, setTried] = useState<Tried>();
  const [busy, setBusy] = useState(false);
  // The messages in the feed when this is opened: the choice must not change by itself.
  const [entries, setEntries] = useState(() => newest(page, script.filter));
  const at = Math.max(0, chosen ? entries.indexOf(chosen) : 0);

  async function run(): Promise<void> {
    const all = entries.length > 0 ? entries : newest(page, script.filter);
    setEntries(all);
    const entry = chosen ?? all[0];
    if (!entry) return;
    setBusy(true);
    const result = await trial.run(script.code, entry.message);
    if (!result) return;
    setBusy(false);
    setTried(result);
  }

  return (
    <section class="stack" aria-label={t('Dry run')}>
      <div class="flow">
        <Select
          label={t('On the message')}
          class="bare"
          value={at}
          options={
            entries.length === 0
              ? [[0, t('the next that matches')]]
              : entries.map(
                  ({ message }, n) =>
                    [n, `${formatTime(message.receivedAt)} ${brief(message.topic, 60)}`] as const,
                )
          }
          onEdit={(n) => setChosen(entries[n])}
        />
        <Button small disabled={busy} onClick={() => void run()}>
          {t('Dry run')}
        </Button>
        <Button
          small
          look="quiet"
          onClick={() => {
            setChosen(undefined);
            setEntries(newest(page, script.filter));
          }}
        >
          {t('Newest messages')}
        </Button>
      </div>
      <div aria-live="polite" class="stack">
        {busy ? (
          <p class="fine muted">{t('Running…')}</p>
        ) : tried ? (
          <Outcome tried={tried} />
        ) : (
          <p class="fine muted">
            {entries.length === 0
              ? t('No message in the feed matches its topic filter yet.')
              : t('Runs it once, on its own. Nothing is published.')}
          </p>
        )}
      </div>
    </section>
  );
}
