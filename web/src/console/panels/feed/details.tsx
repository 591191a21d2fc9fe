import { type ComponentChildren, Fragment } from 'preact';
import { bytes } from '../../core/counts';
import { mark, t, type Words } from '../../core/i18n/i18n';
import { limits } from '../../core/limits';
import { formatMoment } from '../../core/moment';
import { brief, formatBytes, formatCount } from '../../core/text';
import { directionOf, type Entry } from '../../log/entry';
import { packetSize } from '../../log/packet-size';
import { propertiesOf } from '../../payload/preview';
import { benchOf } from '../../session/bench';
import type { Page } from '../../session/page';
import type { Source } from '../../session/subscriptions';
import { Facts, toFacts } from '../../ui/facts';
import { PayloadView } from '../../ui/payload/view';
import { Actions } from './actions';
import { FilterMark, labelOf, selectingOf } from './filter-mark';
import { LogDetails } from './log-details';

function sizeOf(length: number): string {
  const exact = bytes(length);
  return length < 1024 ? exact : `${formatBytes(length)}, ${exact}`;
}

const moments = { received: mark('Received'), sent: mark('Sent'), 'not sent': mark('Not sent') };

type Pair = [string, ComponentChildren];

/** What each message has; `named` says which connection it came by. */
function deliveryOf(entry: Entry, named: boolean): Pair[] {
  const { message, sent } = entry;
  const retain = t(sent ? 'to be retained' : 'retained');
  return [
    [t(moments[directionOf(entry)]), formatMoment(message.receivedAt)],
    ...(named ? [[t('Connection'), brief(entry.via.name, limits.name)] as Pair] : []),
    [
      t('Delivery'),
      [`QoS ${message.qos}`, message.retain && retain, message.dup && t('possibly sent before (DUP)')]
        .filter(Boolean)
        .join(', '),
    ],
    [t('Payload'), sizeOf(message.payload.length)],
    [t('Packet'), sizeOf(packetSize(message))],
  ];
}

function moreOf({ message }: Entry, sources: readonly Source[]): Pair[] {
  if (sources.length === 0) return propertiesOf(message);
  const marks = sources.map((source) => (
    <div key={source.filter}>
      <FilterMark degrees={source.hue} /> <bdi>{labelOf(source)}</bdi>
    </div>
  ));
  return [...propertiesOf(message), [t('Subscribed by'), marks]];
}

function titleOf({ message, ordinal, sent, replayed }: Entry) {
  const title = t(sent ? 'Sent message {number}' : 'Message {number}', { number: formatCount(ordinal + 1) });
  return (
    <>
      <bdi class="mono wrap">{brief(message.topic, limits.topic)}</bdi>{' '}
      <span class="fine">{replayed ? t('Replayed: {message}', { message: title }) : title}</span>
    </>
  );
}

/** Puts numbers of a message's topic on the chart of its connection, as long as both are there. */
function charting({ via, replayed, message }: Entry, { list, active }: Page['sessions']) {
  const session = list.value.find(({ id }) => id === via.id);
  const node = session?.topics.model.find(message.topic);
  if (!session || !node?.last || replayed) return undefined;
  return (path: string): Words => {
    const problem = session.part(benchOf).chart(node, path);
    if (problem || active.value === session) return problem ?? (() => t('On the chart'));
    return () => t('On the chart of {connection}', { connection: brief(session.name.value, limits.name) });
  };
}

export function Details({ page }: { page: Page }) {
  const { feed } = page;
  const selecting = page.part(selectingOf).value;
  return (
    <LogDetails log={feed} page={page} label={t('Message details')} titleOf={titleOf}>
      {(entry) => (
        <Fragment key={feed.open.value?.number}>
          <Actions page={page} entry={entry} />
          <PayloadView
            choices={feed.choices}
            message={entry.message}
            birth={entry.via.births?.before(entry.message)}
            onNumber={charting(entry, page.sessions)}
          />
          <Facts
            look="line"
            facts={toFacts(deliveryOf(entry, entry.replayed || page.sessions.list.value.length > 1))}
          />
          <Facts facts={toFacts(moreOf(entry, selecting(entry)))} />
        </Fragment>
      )}
    </LogDetails>
  );
}
