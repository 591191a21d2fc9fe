import { computed, useSignalEffect } from '@preact/signals';
import { useId } from 'preact/hooks';
import type { PacketName } from '../../../client/packet';
import { mark, plural, t } from '../../core/i18n/i18n';
import { formatBytes, formatCount } from '../../core/text';
import { fileOf } from '../../log/packets/export';
import {
  createPacketLog,
  type Filter,
  maxBytes,
  maxPackets,
  noFilter,
  type PacketLog,
} from '../../log/packets/packet-log';
import { createRecorder, type Recorder } from '../../log/packets/recorder';
import type { PartProps } from '../../session/page';
import type { Session } from '../../session/session';
import { Button } from '../../ui/button';
import { Checkbox, fieldsOf } from '../../ui/fields';
import { Empty } from '../feed/empty';
import { Exports } from '../feed/exports';
import { LogList } from '../feed/list';
import { labelFor, PacketRow } from './packet-row';
import '../../styles/view.css';
import './packets.css';

const types = `connect connack publish puback pubrec pubrel pubcomp subscribe suback unsubscribe unsuback
  pingreq pingresp disconnect auth`.split(/\s+/) as PacketName[];

const typeOptions: (readonly [Filter['type'], string])[] = [
  ['', mark('Every type')],
  ...types.map((type) => [type, type.toUpperCase()] as const),
];

const directionOptions = [
  ['', mark('Both ways')],
  ['sent', mark('→ Sent')],
  ['received', mark('← Received')],
] as const;

function Recording({ on }: Pick<Recorder, 'on'>) {
  return (
    <Checkbox
      label={t('Record packets')}
      checked={on.value}
      onEdit={(checked) => {
        on.value = checked;
      }}
    />
  );
}

function Tools({ log }: { log: PacketLog }) {
  const { kept } = log.view.value;
  return (
    <div class="flow tight end">
      <Exports
        log={log}
        name="packets"
        formats={['JSON', 'NDJSON']}
        fileOf={fileOf}
        words={(count) => plural(count, 'Exported {count} packet', 'Exported {count} packets')}
      />
      <Button small aria-disabled={kept === 0} onClick={log.clear}>
        {t('Clear')}
      </Button>
    </div>
  );
}

function Filters({ log }: { log: PacketLog }) {
  const { text, choice } = fieldsOf<Filter>(log.filter.value, log.filterErrors.value, log.edit);
  const { first, end, kept } = log.view.value;
  return (
    <search class="flow tight">
      {text(t('Search packets'), 'search', { class: 'stretch bare', placeholder: t('Search packets') })}
      {choice(t('Packet type'), 'type', typeOptions, { class: 'bare' })}
      {choice(t('Direction'), 'direction', directionOptions, { class: 'bare' })}
      <output class="muted">
        {log.filter.value !== noFilter &&
          t('{found} of {kept}', { found: formatCount(end - first), kept: formatCount(kept) })}
      </output>
    </search>
  );
}

function adviceFor(log: PacketLog, on: boolean): [title: string, advice: string] {
  const { kept, looked } = log.view.value;
  if (looked < 1) return [t('Searching'), t('Nothing found so far.')];
  if (kept > 0) return [t('No matching packets'), t('No packet in memory matches the filter.')];
  if (on) {
    return [
      t('Recording'),
      t('Each packet appears here as it is sent or received, from CONNECT on when you connect.'),
    ];
  }
  return [
    t('Not recording'),
    t(
      'Switch on “Record packets” to see every packet of the connection. This costs a little time for each packet.',
    ),
  ];
}

export const packetsOf = ({ connection, packetEvents, shows }: Session) =>
  createRecorder(
    { client: connection.client, packetEvents },
    createPacketLog(computed(() => shows('packets'))),
  );

export function PacketsPanel({ page, session }: PartProps) {
  const heading = useId();
  const recorder = session.part(packetsOf);
  const { log, on, problem } = recorder;
  const { first, end, generation, bytes, evicted } = log.view.value;
  useSignalEffect(() => page.inspect('packet', log.open.value !== undefined));
  return (
    <section class="feed packets column" aria-labelledby={heading}>
      <header class="feed-head flow">
        <h2 id={heading} class="visually-hidden">
          {t('Packets')}
        </h2>
        <Recording on={on} />
        <Filters log={log} />
        <Tools log={log} />
      </header>
      {problem.value && (
        <p class="field-error inset wrap bad small-text" role="alert">
          {t('Packets can’t be recorded: {reason}', { reason: problem.value })}
        </p>
      )}
      <div class="feed-body sunken">
        <LogList
          key={generation}
          log={log}
          label={t('Packets')}
          labelFor={labelFor}
          row={(entry) => <PacketRow entry={entry} summary={log.summary(entry)} />}
        />
        {first === end && <Empty of={adviceFor(log, on.value)} />}
      </div>
      <footer class="feed-foot flow fine surface rigid">
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
