import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { Message } from '../../client';
import { PayloadView } from '../payload/view';
import { formatBytes, formatCount, formatTime, visible } from '../text';
import { propertiesOf } from './payload';
import type { Feed } from './store';
import './details.css';

function sizeOf({ length }: Uint8Array): string {
  const exact = `${formatCount(length)} ${length === 1 ? 'byte' : 'bytes'}`;
  return length < 1024 ? exact : `${formatBytes(length)}, ${exact}`;
}

function Facts({ message, number }: { message: Message; number: number }) {
  const facts: [string, string][] = [
    ['Topic', visible(message.topic)],
    ['Received', `${formatTime(message.receivedAt)}, number ${formatCount(number + 1)}`],
    [
      'Delivery',
      [`QoS ${message.qos}`, message.retain && 'retained', message.dup && 'possibly sent before (DUP)']
        .filter(Boolean)
        .join(', '),
    ],
    ['Payload', sizeOf(message.payload)],
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
    </dl>
  );
}

export function Details({ feed }: { feed: Feed }) {
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
  return (
    <section ref={panel} class="details" aria-label="Message details" tabIndex={-1}>
      <header class="details-head">
        <h3>Message {formatCount(opened.number + 1)}</h3>
        <button type="button" class="button icon" aria-label="Close details" onClick={close}>
          ×
        </button>
      </header>
      <div class="details-body">
        <Facts message={opened.message} number={opened.number} />
        <PayloadView key={opened.number} message={opened.message} />
      </div>
    </section>
  );
}
