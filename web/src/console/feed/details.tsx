import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Message } from '../../client';
import {
  decodeUtf8,
  formatBytes,
  formatCount,
  formatTime,
  headOf,
  hex,
  hexDump,
  visible,
  visibleLines,
} from '../text';
import { Actions } from './actions';
import { directionOf, type Entry } from './entry';
import { FilterMark } from './mark';
import { packetSize } from './packet';
import { prettyJson, propertiesOf } from './payload';
import type { Feed } from './store';
import './details.css';

type Mode = 'Text' | 'JSON' | 'Hex';

/** Bytes shown before one asks for the rest: a browser lays out megabytes slowly. */
const firstPart: Record<Mode, number> = { Text: 256 * 1024, JSON: 256 * 1024, Hex: 16 * 1024 };

function modesOf(text: string | undefined, payload: Uint8Array): Mode[] {
  if (text === undefined) return ['Hex'];
  // Pretty-printing is for what a person reads.
  const json = payload.length <= 1024 * 1024 && prettyJson(text) !== undefined;
  return json ? ['JSON', 'Text', 'Hex'] : ['Text', 'Hex'];
}

function render(mode: Mode, payload: Uint8Array, limit: number): { shown: string; more: number } {
  if (mode === 'Hex') {
    const head = payload.subarray(0, limit);
    return { shown: hexDump(head), more: payload.length - head.length };
  }
  const head = headOf(payload, limit);
  const text = decodeUtf8(head) ?? '';
  const pretty = mode === 'JSON' && head.length === payload.length ? prettyJson(text) : undefined;
  return { shown: visibleLines(pretty ?? text), more: payload.length - head.length };
}

async function copy(text: string, shown: HTMLElement | null): Promise<string> {
  try {
    await navigator.clipboard.writeText(text);
    return 'Copied';
  } catch {
    // No clipboard for a page over plain http.
    if (!shown) return 'Not copied';
    getSelection()?.selectAllChildren(shown);
    return 'Selected: copy it with the keyboard';
  }
}

function sizeOf(length: number): string {
  const exact = `${formatCount(length)} ${length === 1 ? 'byte' : 'bytes'}`;
  return length < 1024 ? exact : `${formatBytes(length)}, ${exact}`;
}

/** Local date and time, to the millisecond. */
function formatMoment(milliseconds: number): string {
  const date = new Date(milliseconds);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${formatTime(milliseconds)}`;
}

const moments = { received: 'Received', sent: 'Sent', 'not sent': 'Not sent' };

function Facts({ entry, filters }: { entry: Entry; filters: string[] }) {
  const { message, ordinal, sent } = entry;
  const retain = sent ? 'to be retained' : 'retained';
  const facts: [string, string][] = [
    ['Topic', visible(message.topic)],
    [moments[directionOf(entry)], `${formatMoment(message.receivedAt)}, number ${formatCount(ordinal + 1)}`],
    [
      'Delivery',
      [`QoS ${message.qos}`, message.retain && retain, message.dup && 'possibly sent before (DUP)']
        .filter(Boolean)
        .join(', '),
    ],
    ['Payload', sizeOf(message.payload.length)],
    ['Packet', sizeOf(packetSize(message))],
    ...propertiesOf(message),
  ];
  return (
    <dl class="details-facts">
      {facts.map(([name, value], index) => (
        <div key={index}>
          <dt>
            <bdi>{name}</bdi>
          </dt>
          <dd>
            <bdi>{value}</bdi>
          </dd>
        </div>
      ))}
      {filters.length > 0 && (
        <div>
          <dt>Subscribed by</dt>
          <dd>
            {filters.map((filter) => (
              <div key={filter}>
                <FilterMark filter={filter} /> <bdi>{visible(filter)}</bdi>
              </div>
            ))}
          </dd>
        </div>
      )}
    </dl>
  );
}

function Payload({ message }: { message: Message }) {
  const { payload } = message;
  const [text] = useState(() => decodeUtf8(payload));
  const [modes] = useState(() => modesOf(text, payload));
  const [mode, setMode] = useState<Mode>(modes[0] ?? 'Hex');
  const [whole, setWhole] = useState(false);
  const [said, setSaid] = useState('');
  const pre = useRef<HTMLPreElement>(null);
  const { shown, more } = render(mode, payload, whole ? payload.length : firstPart[mode]);

  if (payload.length === 0) return <p class="empty-line">The payload is empty.</p>;
  return (
    <>
      <div class="details-tools">
        <fieldset class="segments" aria-label="Show payload as">
          {modes.map((name) => (
            <button
              key={name}
              type="button"
              aria-pressed={name === mode}
              onClick={() => {
                setMode(name);
                setWhole(false);
              }}
            >
              {name}
            </button>
          ))}
        </fieldset>
        <button
          type="button"
          class="button small"
          onClick={async () => setSaid(await copy(mode === 'Hex' ? hex(payload) : (text ?? ''), pre.current))}
        >
          Copy payload
        </button>
        <span class="details-said" aria-live="polite">
          {said}
        </span>
      </div>
      <pre ref={pre} class="details-payload" data-mode={mode}>
        {shown}
      </pre>
      {more > 0 && (
        <button type="button" class="button small" onClick={() => setWhole(true)}>
          Show {formatCount(more)} more bytes
        </button>
      )}
    </>
  );
}

interface Props {
  feed: Feed;
  /** The subscriptions that select a message. */
  selecting(message: Message): string[];
}

export function Details({ feed, selecting }: Props) {
  const panel = useRef<HTMLElement>(null);
  const opened = feed.open.value;
  const number = opened?.number;

  useLayoutEffect(() => {
    if (number !== undefined) panel.current?.focus({ preventScroll: true });
  }, [number]);

  useEffect(() => {
    if (number === undefined) return;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key === 'Escape') close();
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, [number]);

  function close() {
    feed.select(undefined);
    document.querySelector<HTMLElement>(`[data-number="${number}"]`)?.focus();
  }

  if (!opened) return null;
  const { entry } = opened;
  const { message, ordinal, sent } = entry;
  return (
    <section ref={panel} class="details" aria-label="Message details" tabIndex={-1}>
      <header class="details-head">
        <h3>
          {sent ? 'Sent message' : 'Message'} {formatCount(ordinal + 1)}
        </h3>
        <button type="button" class="button icon" aria-label="Close details" onClick={close}>
          ×
        </button>
      </header>
      <div class="details-body">
        <Facts entry={entry} filters={sent ? [] : selecting(message)} />
        <Actions key={`actions ${opened.number}`} entry={entry} />
        <Payload key={opened.number} message={message} />
      </div>
    </section>
  );
}
