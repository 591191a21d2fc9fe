import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { noRoom } from '../../core/no-room';
import { decodeUtf8, formatBytes, hex } from '../../core/text';
import type { Choice, Choices } from '../../payload/choices';
import { base64 } from '../../payload/codecs/base64';
import type { ViewFormat } from '../../payload/format';
import type { Readable } from '../../payload/guess';
import { meaningOfText } from '../../payload/meaning';
import { numbersIn } from '../../payload/numbers';
import { labels, read, type Shown } from '../../payload/read';
import { save } from '../../payload/save';
import { Button } from '../button';
import { toClipboard } from '../copy';
import { Facts, toFacts } from '../facts';
import { Select } from '../fields';
import { onDemand } from '../on-demand';
import { useTold } from '../told';
import { Applies } from './applies';
import { Block } from './block';
import { ChartButton } from './chart-button';
import { PictureView, Undrawn } from './picture';
import './payload.css';
import { language, t, type Words } from '../../core/i18n/i18n';

/** Bytes that go to the clipboard. */
const mostCopied = 16 * 1024 * 1024;

/** The raw bytes in the notation that suits what is shown. */
function textOf(payload: Uint8Array, format: ViewFormat): [text: string, said: Words] {
  if (format === 'base64') return [base64(payload), () => t('Copied as Base64')];
  const text = format === 'hex' ? undefined : decodeUtf8(payload);
  return text === undefined ? [hex(payload), () => t('Copied as hex')] : [text, () => t('Copied')];
}

async function copy(payload: Uint8Array, format: ViewFormat, shown: HTMLElement | null): Promise<Words> {
  if (payload.length > mostCopied) return () => t('Too large for the clipboard: save it');
  const [text, said] = textOf(payload, format);
  if (await toClipboard(text)) return said;
  if (!shown) return () => t('Not copied');
  getSelection()?.selectAllChildren(shown);
  return () => t('Selected: copy it with the keyboard');
}

function moreOf(shown: Shown): string | undefined {
  if (shown.kind === 'text' && shown.left > 0)
    return t('Show more, {count} bytes left', { count: shown.left });
  if (shown.kind !== 'lines' || (shown.lines.length <= shown.shown && shown.whole)) return undefined;
  const count = Math.max(0, shown.lines.length - shown.shown);
  return t(shown.whole ? 'Show more, {count} lines left' : 'Show more, over {count} lines left', { count });
}

const isNumber = (text: string): boolean => text.trim() !== '' && Number.isFinite(Number(text));

const ProtobufControls = onDemand(async () => (await import('./protobuf')).ProtobufControls);
/** Comparing takes code of its own, which few need. */
const Diff = onDemand(async () => (await import('./diff')).Diff);

function More({ shown, onMore }: { shown: Shown; onMore(): void }) {
  const more = moreOf(shown);
  if (!more) return null;
  return (
    <Button small onClick={onMore}>
      {more}
    </Button>
  );
}

/** What the payload is, or could stand for, besides what is shown. */
function Told({ shown, message }: { shown: Shown; message: Readable }) {
  const { format, unpacked } = shown;
  if (unpacked) {
    const size = formatBytes(unpacked.bytes.length);
    return <p class="muted">{t('{packer}: unpacked, {size}', { packer: unpacked.by, size })}</p>;
  }
  if (format === 'hex') return <Facts facts={toFacts(numbersIn(message.payload))} />;
  if (shown.kind !== 'text' || format !== 'text') return null;
  const meaning = meaningOfText(shown.text, message.topic);
  return meaning ? <p class="payload-note wrap">{meaning}</p> : null;
}

interface Props {
  choices: Choices;
  message: Readable;
  /** The BIRTH that a Sparkplug B message refers to. */
  birth?: Uint8Array | undefined;
  /** Adds the number at a path to the chart, and returns the outcome. */
  onNumber?: ((path: string) => Words) | undefined;
  /** Shows what changed instead of the payload. */
  since?: { before: Readable; whole: boolean };
}

/** A payload in the format that was chosen for its topic, or the one that it most likely has. */
export function PayloadView({ since, ...props }: Props) {
  const { choices, message } = props;
  const choice = choices.recall(message.topic);
  if (since) return <Diff {...since} after={message} choice={choice} />;
  if (message.payload.length === 0 && !message.decoded)
    return <p class="empty-line">{t('The payload is empty.')}</p>;
  return <Whole {...props} choice={choice} />;
}

function Whole({ choices, message, birth, choice, onNumber }: Omit<Props, 'since'> & { choice: Choice }) {
  const { topic } = message;
  // A message returns a new view of the same bytes each time, which would be rendered again.
  const payload = useMemo(() => message.payload, [message]);
  /** The one whose markup is to be drawn. */
  const [asked, setAsked] = useState<Readable>();
  const { format, type } = choice;
  const [step, setStep] = useState(0);
  const [shown, setShown] = useState<Shown>();
  const said = useTold();
  const place = useRef<HTMLDivElement>(null);

  // A definition that is loaded changes what the same bytes say, and so does the language.
  useLayoutEffect(() => {
    let wanted = true;
    void read(message, choice, step, birth).then((result) => {
      if (wanted) setShown(result);
    });
    return () => {
      wanted = false;
    };
  }, [message, message.decoded, birth, choice, step, language.value]);

  function choose(next: Choice): void {
    said.value = choices.remember(choices.filterFor(topic), next) ? '' : noRoom;
    setStep(0);
  }

  const unpacked = shown?.unpacked;
  // What is charted are numbers of payloads as they are.
  const chart =
    onNumber && !unpacked
      ? (path: string) => {
          said.value = onNumber(path);
        }
      : undefined;
  const automatic =
    !format && shown ? t('Automatic: {format}', { format: t(labels[shown.format]) }) : t('Automatic');
  const options = [
    ['', automatic],
    ...Object.entries(labels)
      .filter(([format]) => format !== 'script')
      .map(([format, label]) => [format as ViewFormat, t(label)] as const),
  ] as const;
  return (
    <div class="payload stack roomy full" ref={place}>
      <div class="payload-tools flow">
        <Select<ViewFormat | ''>
          label={t('Show payload as')}
          class="bare"
          value={format ?? ''}
          options={options}
          onEdit={(chosen) => choose({ ...(type && { type }), ...(chosen && { format: chosen }) })}
        />
        <Button
          small
          aria-label={t('Copy payload')}
          onClick={async () => {
            said.value = await copy(
              shown?.unpacked?.bytes ?? payload,
              shown?.format ?? 'hex',
              place.current?.querySelector('pre') ?? null,
            );
          }}
        >
          {t('Copy')}
        </Button>
        <Button small aria-label={t('Save payload')} onClick={() => save(message)}>
          {t('Save')}
        </Button>
        <span class="muted wrap" aria-live="polite">
          {said.value}
        </span>
      </div>
      {(choice.format ?? choice.type) && <Applies key={topic} choices={choices} topic={topic} />}
      {shown?.format === 'protobuf' && (
        <ProtobufControls
          choices={choices}
          type={type}
          unloaded={t('Field numbers until you load the definition')}
          untyped={t('none: field numbers')}
          onType={(chosen) => choose({ ...choice, type: chosen })}
        />
      )}
      {shown?.error && <p class="alarm">{shown.error}</p>}
      {shown?.kind === 'text' && (
        // A scrolling element must be reachable by keyboard.
        <pre
          class="payload-block wrap sunken full"
          data-wide={shown.wide}
          {...(shown.wide && { tabIndex: 0, role: 'group', 'aria-label': t('Value') })}
        >
          {chart && shown.format === 'text' && isNumber(shown.text) ? (
            <ChartButton path="" onNumber={chart}>
              {shown.text}
            </ChartButton>
          ) : (
            shown.text
          )}
        </pre>
      )}
      {shown && <Told shown={shown} message={message} />}
      {shown?.kind === 'lines' && (
        <Block key={shown.format} lines={shown.lines} shown={shown.shown} onNumber={chart} />
      )}
      {shown?.kind === 'image' &&
        (shown.source !== undefined && asked !== message ? (
          <Undrawn source={shown.source} onShow={() => setAsked(message)} />
        ) : (
          <PictureView
            payload={unpacked?.bytes ?? payload}
            picture={shown.picture}
            onBroken={async () => {
              const bytes = await read(message, { format: 'hex' }, 0);
              setShown({ ...bytes, format: 'image', error: t('Not Image: the browser cannot draw it') });
            }}
          />
        ))}
      {shown && <More shown={shown} onMore={() => setStep(step + 1)} />}
    </div>
  );
}
