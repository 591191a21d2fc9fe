import type { ComponentProps, ComponentType } from 'preact';
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Message } from '../../../client';
import { noRoom } from '../../core/no-room';
import { decodeUtf8, formatCount, hex } from '../../core/text';
import { type Choice, filterFor, recall, remember, schemas } from '../../payload/choices';
import type { ViewFormat } from '../../payload/format';
import { base64, labels, read, type Shown } from '../../payload/read';
import { save } from '../../payload/save';
import { Select } from '../fields';
import { Applies } from './applies';
import { Block } from './block';
import { PictureView, Undrawn } from './picture';
import './payload.css';
import { language, t } from '../../core/i18n/i18n';

/** Bytes that go to the clipboard. */
const mostCopied = 16 * 1024 * 1024;

type ControlsProps = ComponentProps<typeof import('./protobuf').ProtobufControls>;

/** The raw bytes in the notation that suits what is shown. */
function textOf(payload: Uint8Array, format: ViewFormat): [text: string, said: string] {
  if (format === 'base64') return [base64(payload), t('Copied as Base64')];
  const text = format === 'hex' ? undefined : decodeUtf8(payload);
  return text === undefined ? [hex(payload), t('Copied as hex')] : [text, t('Copied')];
}

async function copy(payload: Uint8Array, format: ViewFormat, shown: HTMLElement | null): Promise<string> {
  if (payload.length > mostCopied) return t('Too large for the clipboard: save it');
  try {
    const [text, said] = textOf(payload, format);
    await navigator.clipboard.writeText(text);
    return said;
  } catch {
    // No clipboard for a page over plain http.
    if (!shown) return t('Not copied');
    getSelection()?.selectAllChildren(shown);
    return t('Selected: copy it with the keyboard');
  }
}

function moreOf(shown: Shown): string | undefined {
  if (shown.kind === 'text' && shown.left > 0)
    return t('Show more, {count} bytes left', { count: formatCount(shown.left) });
  if (shown.kind !== 'lines' || (shown.lines.length <= shown.shown && shown.whole)) return undefined;
  const count = formatCount(Math.max(0, shown.lines.length - shown.shown));
  return t(shown.whole ? 'Show more, {count} lines left' : 'Show more, over {count} lines left', { count });
}

function More({ shown, onMore }: { shown: Shown; onMore(): void }) {
  const more = moreOf(shown);
  if (!more) return null;
  return (
    <button type="button" class="button small" onClick={onMore}>
      {more}
    </button>
  );
}

export function PayloadView({ message, birth }: { message: Message; birth?: Uint8Array | undefined }) {
  const { topic } = message;
  // A message gives another view of the same bytes each time, which would be drawn anew.
  const payload = useMemo(() => message.payload, [message]);
  /** The one whose markup is to be drawn. */
  const [asked, setAsked] = useState<Message>();
  const choice = recall(topic);
  const [step, setStep] = useState(0);
  const [shown, setShown] = useState<Shown>();
  const [said, setSaid] = useState('');
  const [Controls, setControls] = useState<ComponentType<ControlsProps>>();
  const place = useRef<HTMLDivElement>(null);
  const definitions = schemas.value;

  // A definition that is loaded changes what the same bytes say, and so does the language.
  useLayoutEffect(() => {
    let wanted = true;
    void read(message, choice, step, birth).then(async (result) => {
      if (wanted) setShown(result);
      if (result.format !== 'protobuf' || !wanted) return;
      const { ProtobufControls } = await import('./protobuf');
      if (wanted) setControls(() => ProtobufControls);
    });
    return () => {
      wanted = false;
    };
  }, [message, birth, choice, step, definitions, language.value]);

  function choose(next: Choice): void {
    setSaid(remember(filterFor(topic), next) ? '' : noRoom());
    setStep(0);
  }

  if (payload.length === 0) return <p class="empty-line">{t('The payload is empty.')}</p>;
  const automatic =
    !choice.format && shown ? t('Automatic: {format}', { format: t(labels[shown.format]) }) : t('Automatic');
  const options = [
    ['', automatic],
    ...Object.entries(labels).map(([format, label]) => [format as ViewFormat, t(label)] as const),
  ] as const;
  return (
    <div class="payload" ref={place}>
      <div class="payload-tools">
        <Select<ViewFormat | ''>
          label={t('Show payload as')}
          class="inline"
          value={choice.format ?? ''}
          options={options}
          onEdit={(format) =>
            choose({ ...(choice.type && { type: choice.type }), ...(format && { format }) })
          }
        />
        <button
          type="button"
          class="button small"
          onClick={async () =>
            setSaid(await copy(payload, shown?.format ?? 'hex', place.current?.querySelector('pre') ?? null))
          }
        >
          {t('Copy payload')}
        </button>
        <button type="button" class="button small" onClick={() => save(message)}>
          {t('Save payload')}
        </button>
        <span class="payload-said" aria-live="polite">
          {said}
        </span>
      </div>
      {(choice.format ?? choice.type) && <Applies key={topic} topic={topic} />}
      {shown?.format === 'protobuf' && Controls && (
        <Controls
          type={choice.type}
          unloaded={t('Field numbers until you load the definition')}
          untyped={t('none: field numbers')}
          onType={(type) => choose({ ...choice, type })}
        />
      )}
      {shown?.error && <p class="payload-error">{shown.error}</p>}
      {shown?.kind === 'text' && (
        <pre class="payload-block" data-wide={shown.wide}>
          {shown.text}
        </pre>
      )}
      {shown?.kind === 'lines' && <Block key={shown.format} lines={shown.lines} shown={shown.shown} />}
      {shown?.kind === 'image' && shown.source !== undefined && asked !== message && (
        <Undrawn source={shown.source} onShow={() => setAsked(message)} />
      )}
      {shown?.kind === 'image' && (shown.source === undefined || asked === message) && (
        <PictureView
          payload={payload}
          picture={shown.picture}
          onBroken={async () => {
            const bytes = await read(message, { format: 'hex' }, 0);
            setShown({ ...bytes, format: 'image', error: t('Not Image: the browser cannot draw it') });
          }}
        />
      )}
      {shown && <More shown={shown} onMore={() => setStep(step + 1)} />}
    </div>
  );
}
