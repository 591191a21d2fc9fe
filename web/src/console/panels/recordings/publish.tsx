import { useState } from 'preact/hooks';
import { messages } from '../../core/counts';
import { parts, t } from '../../core/i18n/i18n';
import { limits } from '../../core/limits';
import { visible } from '../../core/text';
import { countFor, countsOf, namesIn, type Which } from '../../recordings/jobs';
import type { Speed } from '../../recordings/player';
import { recordingsOf } from '../../recordings/recordings';
import { withoutSecrets } from '../../session/settings';
import { Select } from '../../ui/fields';
import { Form, type FormProps, SpeedSelect } from './form';

/** The connections that the messages are from, unless it is the one to publish to. */
function Origin({ names, to }: { names: readonly string[]; to: string | undefined }) {
  const known = names.filter((name) => name !== '');
  if (known.length === 0 || (names.length === 1 && known[0] === to)) return null;
  return (
    <p class="warn full wrap">
      {parts('They were recorded from {connections}.', {
        connections: <bdi class="mono">{known.slice(0, limits.suggestions).map(visible).join(', ')}</bdi>,
      })}
    </p>
  );
}

function Warning({ broker, count }: { broker: string | undefined; count: string }) {
  return (
    <p class="full wrap">
      {broker === undefined
        ? t('Connect to a broker first.')
        : parts(
            '{messages} will go to {broker}, and to everybody who subscribes there, with the original topics, payloads, QoS, retain flags and properties.',
            { messages: count, broker: <bdi class="mono">{visible(broker)}</bdi> },
          )}
    </p>
  );
}

const all = -1;
const open = -2;

/**
 * To the connection that was shown when the form was opened, unless another one is chosen.
 * If the messages are from several connections, only those of the one with the same name
 * are published, unless others are chosen.
 */
export function Publish({ recording, page, onClose }: FormProps) {
  const { jobs } = page.part(recordingsOf);
  const list = page.sessions.list.value;
  const [chosen, setChosen] = useState(page.sessions.active.peek());
  const session = list.includes(chosen) ? chosen : undefined;
  const [speed, setSpeed] = useState<Speed>(1);
  const [picked, setPicked] = useState<number>();
  const [wanted, setWanted] = useState<Which>();
  const { names, single } = namesIn(recording);
  const same = names.indexOf(session?.name.value ?? '');
  const origin = single ? all : (picked ?? (same < 0 ? open : same));
  const from = names[origin];
  const counts = countsOf(recording, from);
  const which = wanted ?? (counts.received > 0 ? 'received' : 'sent');
  const url = session?.client.value?.url;
  const broker = url && withoutSecrets(url);
  const total = countFor(counts, which);
  const count = messages(total);
  const choices = [
    ['received', t('what was received ({count})', { count: counts.received })],
    ['sent', t('what was sent ({count})', { count: counts.sent })],
    ['both', t('both ({count})', { count: countFor(counts, 'both') })],
  ] as const;
  return (
    <Form
      label={t('Publish again')}
      go={origin === open ? t('Publish') : t('Publish {messages}', { messages: count })}
      disabled={broker === undefined || origin === open || total === 0}
      onClose={onClose}
      onGo={() => {
        if (session) jobs.publish(recording, session, which, speed, from);
        onClose();
      }}
    >
      {!single && (
        <Select<number>
          label={t('Recorded from')}
          class="inline"
          value={origin}
          options={[
            ...(origin === open ? [[open, t('choose')] as const] : []),
            ...names.map((name, index) => [index, visible(name) || t('unknown')] as const),
            [all, t('all connections')],
          ]}
          onEdit={setPicked}
        />
      )}
      {(list.length > 1 || !session) && (
        <Select<number>
          label={t('Publish to')}
          class="inline"
          value={session?.id ?? 0}
          options={[
            ...(session ? [] : [[0, t('closed')] as const]),
            ...list.map(({ id, name }) => [id, visible(name.value)] as const),
          ]}
          onEdit={(id) => setChosen(list.find((one) => one.id === id) ?? chosen)}
        />
      )}
      <Select<Which> label={t('Publish')} class="inline" value={which} options={choices} onEdit={setWanted} />
      <SpeedSelect value={speed} onEdit={setSpeed} />
      {origin === open ? (
        <p class="full wrap">
          {t('Choose whose messages to publish: they may come from several connections.')}
        </p>
      ) : (
        <>
          <Origin names={from === undefined ? names : [from]} to={session?.name.value} />
          <Warning broker={broker} count={count} />
        </>
      )}
    </Form>
  );
}
