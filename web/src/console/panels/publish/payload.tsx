import type { ComponentType } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { parts, t } from '../../core/i18n/i18n';
import { keep, readKept } from '../../core/storage';
import { formatBytes, visible } from '../../core/text';
import { formats, looksLikeJson, problemWith } from '../../payload/encode';
import type { Format } from '../../payload/format';
import { payloadProblem } from '../../session/message';
import type { Publisher } from '../../session/publisher';
import { expand, hasCounter, unknownPlaces } from '../../session/template';
import { Button, IconButton } from '../../ui/button';
import { type Caret, type Control, controlOf } from '../../ui/editor/control';
import type { EditorProps } from '../../ui/editor/editor';
import { asTyped, Choices, Field, translated } from '../../ui/fields';
import { useEarlier } from './earlier';

interface Props {
  publisher: Publisher;
  go(): void;
  onFormat(format: Format): void;
}

const editorKey = 'mqttwasm.editor';

const places = ['{{n}}', '{{now}}', '{{uuid}}', '{{random 1 100}}'];

function Attached({ publisher }: { publisher: Publisher }) {
  const { file } = publisher.draft.value;
  if (!file) return null;
  return (
    <p class="publish-file line box small-text sunken">
      <bdi class="grow wrap">{visible(file.name)}</bdi>
      <span>{formatBytes(file.bytes.length)}</span>
      <IconButton
        label={t('Remove {name}', { name: visible(file.name) })}
        onClick={() => publisher.edit({ file: undefined })}
      />
    </p>
  );
}

function problemsOf(publisher: Publisher): string[] {
  const draft = publisher.draft.value;
  const problem = payloadProblem(draft, publisher.choices.files.entries.value);
  const unknown = unknownPlaces(draft.topic + draft.payload)
    .slice(0, 3)
    .map(visible);
  return [
    problem && t('The payload {problem}.', { problem: visible(problem) }),
    unknown.length > 0 && t('Unknown, and sent as written: {places}', { places: unknown.join(', ') }),
  ].filter((words) => typeof words === 'string' && words !== '') as string[];
}

interface HintProps {
  publisher: Publisher;
  problems: readonly string[];
  onInsert(place: string): void;
}

function Hint({ publisher, problems, onInsert }: HintProps) {
  const { topic, payload } = publisher.draft.value;
  return (
    <>
      {problems.map((words) => (
        <span key={words} class="publish-problem">
          {words}
        </span>
      ))}
      {hasCounter(topic + payload) && (
        <span>
          {parts('{place} counts up from {next}', {
            place: <code>{'{{n}}'}</code>,
            next: publisher.next.value,
          })}
        </span>
      )}
      <span class="publish-places flow tight">
        <span class="publish-insert">{t('Insert')}</span>
        {places.map((place) => (
          <button
            key={place}
            type="button"
            class="place mono chip"
            aria-label={t('Insert {place}', { place })}
            onClick={() => onInsert(place)}
          >
            {place}
          </button>
        ))}
      </span>
    </>
  );
}

/**
 * A textarea, or the editor if the user chooses it. It is not the default: screen readers, phones'
 * keyboards, password managers and scripts work better with a textarea than with any editor. The
 * choice is kept. The editor is loaded when it is chosen and, at a later visit, when the field is
 * first focused.
 */
function Typed({ publisher, go, onFormat }: Props) {
  const id = useId();
  const area = useRef<HTMLTextAreaElement>(null);
  const control = useRef<Control>(null);
  /** The state of one when switching to the other. */
  const left = useRef<Caret & Pick<EditorProps, 'focused' | 'height'>>(null);
  const [wanted, setWanted] = useState(() => readKept(editorKey) === true);
  const [loaded, setLoaded] = useState<{ Editor: ComponentType<EditorProps> }>();
  const [failed, setFailed] = useState(false);
  const draft = publisher.draft.value;
  const { payload, format } = draft;
  const error = publisher.fieldErrors.value.payload;
  const problems = problemsOf(publisher);
  const isText = format === 'text' || format === 'hex' || format === 'base64';
  const isJson = isText ? format === 'text' && looksLikeJson(payload) : true;
  const Editor = wanted ? loaded?.Editor : undefined;
  const earlier = useEarlier(publisher);

  function leave(focused: boolean): void {
    const element = area.current ?? document.querySelector<HTMLElement>('#publish [data-editor]');
    const caret = control.current?.caret();
    if (!element || !caret) return;
    left.current = {
      from: caret.from,
      to: caret.to,
      height: element.getBoundingClientRect().height,
      focused: focused || document.activeElement === element,
    };
  }

  async function load(focused: boolean): Promise<void> {
    setFailed(false);
    try {
      const { Editor } = await import('../../ui/editor/editor');
      leave(focused);
      setLoaded({ Editor });
    } catch {
      setFailed(true);
      setWanted(false);
    }
  }

  function choose(): void {
    keep(editorKey, !wanted);
    leave(true);
    setWanted(!wanted);
    if (!wanted && !loaded) void load(true);
  }

  useLayoutEffect(() => {
    const element = area.current;
    if (!element) return;
    control.current = controlOf(element);
    if (!left.current) return;
    element.setSelectionRange(left.current.from, left.current.to);
    if (left.current.focused) element.focus();
  }, [Editor]);

  async function tidy(): Promise<void> {
    if (problemWith('json', expand(payload, 0)) === undefined) {
      const { layOut } = await import('../../payload/lay-out');
      if (publisher.draft.peek().payload === payload) publisher.edit({ payload: layOut(payload) });
    } else if (!payloadProblem(draft, publisher.choices.files.entries.value)) {
      publisher.fieldErrors.add({
        payload: () => {
          const problem = visible(problemWith('json', expand(payload, 0)) ?? '');
          return t('The payload {problem}.', {
            problem: t('is not {format}: {problem}', { format: 'JSON', problem }),
          });
        },
      });
    }
    control.current?.focus();
  }

  /** Whether the key was handled. */
  function press(event: KeyboardEvent): boolean {
    const { key, altKey, shiftKey } = event;
    const command = event.ctrlKey || event.metaKey;
    const step = { ArrowUp: 1, ArrowDown: -1 }[key];
    if (key === 'Enter' && command) go();
    else if (!step || command || shiftKey || event.isComposing || !earlier(step, altKey)) return false;
    event.preventDefault();
    return true;
  }

  const edit = (typed: string) => publisher.edit({ payload: typed });
  return (
    <Field
      label={t('Payload')}
      class="publish-payload"
      error={error ?? (failed ? t('The server of this page did not deliver this part.') : undefined)}
      aside={
        <span class="publish-payload-tools line">
          <Choices
            class="publish-format chip"
            aria-label={t('Payload format')}
            value={format}
            options={translated(formats)}
            onEdit={onFormat}
          />
          {isJson && (
            <Button
              small
              look="quiet"
              title={t('Lays JSON out, a value to a line')}
              onClick={() => void tidy().catch(() => setFailed(true))}
            >
              {t('Format')}
            </Button>
          )}
          <Button
            small
            look="quiet"
            aria-pressed={wanted}
            title={t('Colours, line numbers and brackets for longer payloads')}
            onClick={choose}
          >
            {t('Editor')}
          </Button>
        </span>
      }
      hint={
        <Hint
          publisher={publisher}
          problems={problems}
          onInsert={(place) => control.current?.insert(place)}
        />
      }
      control={(attributes) =>
        Editor && left.current ? (
          <Editor
            {...left.current}
            caret={left.current}
            key={id}
            label={t('Payload')}
            value={payload}
            language={isJson ? 'json' : undefined}
            problem={[error, ...problems].filter(Boolean).join(' ')}
            invalid={error !== undefined}
            control={control}
            onEdit={edit}
            onKey={press}
          />
        ) : (
          <textarea
            {...attributes}
            ref={area}
            class="input mono"
            rows={3}
            value={payload}
            {...asTyped}
            onFocus={() => wanted && void load(false)}
            onInput={(event) => edit(event.currentTarget.value)}
            onKeyDown={press}
          />
        )
      }
    />
  );
}

export function Payload(props: Props) {
  const { file } = props.publisher.draft.value;
  return file ? <Attached publisher={props.publisher} /> : <Typed {...props} />;
}
