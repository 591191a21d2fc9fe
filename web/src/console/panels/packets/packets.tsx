import { useId, useState } from 'preact/hooks';
import type { PacketName } from '../../../client/packet';
import { paintWhile } from '../../core/paint';
import { saveAs } from '../../core/save-as';
import { formatBytes, formatCount } from '../../core/text';
import { type Format, fileOf } from '../../log/packets/export';
import { type Filter, maxBytes, maxPackets, noFilter, type PacketLog } from '../../log/packets/packet-log';
import { createRecorder, type Recorder } from '../../log/packets/recorder';
import type { Session } from '../../session/session';
import { Checkbox, Select, TextField, translated } from '../../ui/fields';
import { PacketDetails } from './packet-details';
import { PacketList } from './packet-list';
import './packets.css';
import { mark, plural, t } from '../../core/i18n/i18n';

const types: PacketName[] = [
  'connect',
  'connack',
  'publish',
  'puback',
  'pubrec',
  'pubrel',
  'pubcomp',
  'subscribe',
  'suback',
  'unsubscribe',
  'unsuback',
  'pingreq',
  'pingresp',
  'disconnect',
  'auth',
];

const typeOptions = [
  ['', mark('Every type')] as const,
  ...types.map((type) => [type, type.toUpperCase()] as const),
] satisfies (readonly [Filter['type'], string])[];

const directionOptions = [
  ['', mark('Both ways')],
  ['sent', mark('→ Sent')],
  ['received', mark('← Received')],
] as const;

function Tools({ recorder }: { recorder: Recorder }) {
  const { log, on } = recorder;
  const { first, end, kept } = log.view.value;
  const [said, setSaid] = useState('');

  function save(format: Format) {
    const entries = log.listed();
    const time = new Date().toISOString().replace(/[:.]/g, '-');
    saveAs(`packets-${time}.${format.toLowerCase()}`, fileOf(entries, format));
    const { length } = entries;
    setSaid(plural(length, 'Exported {count} packet', 'Exported {count} packets', formatCount(length)));
  }

  return (
    <>
      <Checkbox
        label={t('Record packets')}
        checked={on.value}
        onEdit={(checked) => {
          on.value = checked;
        }}
      />
      <div class="feed-tools">
        <span class="packets-said" aria-live="polite">
          {said}
        </span>
        {(['JSON', 'NDJSON'] as const).map((format) => (
          <button
            key={format}
            type="button"
            class="button small"
            aria-label={t('Export as {format}', { format })}
            disabled={first === end}
            onClick={() => save(format)}
          >
            {format}
          </button>
        ))}
        <button type="button" class="button small" disabled={kept === 0} onClick={log.clear}>
          {t('Clear')}
        </button>
      </div>
    </>
  );
}

function Filters({ log }: { log: PacketLog }) {
  const { type, direction, text } = log.filter.value;
  const { first, end, kept } = log.view.value;
  return (
    <search class="packets-filters">
      <TextField
        label={t('Search packets')}
        class="packets-search"
        placeholder={t('Search packets')}
        value={text}
        onEdit={(text) => log.edit({ text })}
      />
      <Select
        label={t('Packet type')}
        value={type}
        options={translated(typeOptions)}
        onEdit={(type) => log.edit({ type })}
      />
      <Select
        label={t('Direction')}
        value={direction}
        options={translated(directionOptions)}
        onEdit={(direction) => log.edit({ direction })}
      />
      <output class="packets-found">
        {log.filter.value !== noFilter &&
          t('{found} of {kept}', { found: formatCount(end - first), kept: formatCount(kept) })}
      </output>
    </search>
  );
}

function Empty({ recorder }: { recorder: Recorder }) {
  const { kept } = recorder.log.view.value;
  const on = recorder.on.value;
  const [title, advice] =
    kept > 0
      ? [t('No match'), t('None of the packets kept is what you ask for.')]
      : on
        ? [
            t('Recording'),
            t('Each packet appears here as it is sent or received, from CONNECT on when you connect.'),
          ]
        : [
            t('Not recording'),
            t(
              'Switch on “Record packets” to see every packet of the connection. It costs a little time for each.',
            ),
          ];
  return (
    <div class="empty-view">
      <p class="empty-title">{title}</p>
      <p>{advice}</p>
    </div>
  );
}

const packetsOf = ({ connection, packetEvents, view }: Session) =>
  createRecorder({ client: connection.client, packetEvents }, paintWhile(view, 'packets'));

export function PacketsPanel({ session }: { session: Session }) {
  const heading = useId();
  const recorder = session.part(packetsOf);
  const { log, problem } = recorder;
  const { first, end, generation, bytes, evicted } = log.view.value;
  return (
    <section class="panel feed packets" aria-labelledby={heading}>
      <header class="feed-head">
        <h2 id={heading}>{t('Packets')}</h2>
        <Tools recorder={recorder} />
      </header>
      <Filters log={log} />
      {problem.value && (
        <p class="field-error packets-problem" role="alert">
          {t('Packets can’t be recorded: {reason}', { reason: problem.value })}
        </p>
      )}
      <div class="feed-body">
        <PacketList key={generation} log={log} />
        {first === end && <Empty recorder={recorder} />}
      </div>
      <PacketDetails log={log} />
      <footer class="feed-foot">
        <span>
          {t(
            evicted > 0
              ? 'Keeps the newest {count} or {size}; {used} in use, {dropped} dropped.'
              : 'Keeps the newest {count} or {size}; {used} in use.',
            {
              count: formatCount(maxPackets),
              size: formatBytes(maxBytes),
              used: formatBytes(bytes),
              dropped: formatCount(evicted),
            },
          )}{' '}
          {t('Passwords and authentication data are never shown.')}
        </span>
      </footer>
    </section>
  );
}
