import { useId, useMemo, useState } from 'preact/hooks';
import { messages, topics } from '../../core/counts';
import { t } from '../../core/i18n/i18n';
import { limits } from '../../core/limits';
import { brief, formatBytes, formatCount, formatTime } from '../../core/text';
import type { Choices } from '../../payload/choices';
import type { Reading } from '../../payload/guess';
import { propertiesOf } from '../../payload/preview';
import { benchOf } from '../../session/bench';
import type { PartProps } from '../../session/page';
import { readingsOf } from '../../session/readings';
import type { Session } from '../../session/session';
import { rateOf, type TopicNode, topicOf, type Value } from '../../topics/model';
import { pathsIn } from '../../topics/number';
import { filterOf, formatRate } from '../../topics/preview';
import type { Workbench } from '../../topics/workbench';
import { Button } from '../../ui/button';
import { useCopied } from '../../ui/copy';
import { type Fact, Facts, toFacts } from '../../ui/facts';
import { asTyped, Field, submits } from '../../ui/fields';
import { Menu } from '../../ui/menu';
import { PayloadView } from '../../ui/payload/view';
import { Sheet } from '../../ui/sheet';
import { useTold } from '../../ui/told';
import { Said, Toolbar } from '../../ui/toolbar';
import { publishHere, topicCommands } from '../feed/actions';
import { Changes } from './changes';

function factsOf(node: TopicNode, now: number): Fact[] {
  const { last } = node;
  const below = node.topics - (last ? 1 : 0);
  const numbers = { topics: topics(below), messages: messages(node.total) };
  const facts: [string, string | undefined | false][] = [
    [t('Received'), last && formatTime(last.at)],
    [t('Delivery'), last && `QoS ${last.qos}${last.retain ? `, ${t('retained')}` : ''}`],
    [t('Payload'), last && formatBytes(last.size)],
    [t('Messages'), formatCount(node.count)],
    [t('Below'), below > 0 && t('{topics}, {messages} in all', numbers)],
    [t('Rate'), formatRate(rateOf(node, now)) || '0/s'],
  ];
  return toFacts(facts);
}

interface CurrentProps {
  bench: Workbench;
  choices: Choices;
  birthBefore: Session['birthBefore'];
  decoded: Reading | undefined;
  node: TopicNode;
  topic: string;
  value: Value;
}

function Current({ bench, choices, node, topic, value, birthBefore, decoded }: CurrentProps) {
  const { payload, size, properties, at } = value;
  const message = useMemo(
    () => payload && { topic, payload, properties, decoded },
    [topic, payload, decoded],
  );
  if (message) {
    return (
      <PayloadView
        choices={choices}
        message={message}
        birth={birthBefore({ topic, receivedAt: at })}
        onNumber={(path) => bench.chart(node, path) ?? (() => t('On the chart'))}
      />
    );
  }
  return (
    <p class="empty-line">{t('{size}, not kept: the tree has no room left.', { size: formatBytes(size) })}</p>
  );
}

/** Puts the topic's number on the chart, or one of the numbers in its values. */
function ToChart({ bench, choices, node, topic, value, birthBefore, decoded }: CurrentProps) {
  const id = useId();
  const paths = useMemo(() => {
    const { payload, properties, at } = value;
    const birth = birthBefore({ topic, receivedAt: at });
    const message = payload && { topic, payload, properties, decoded };
    return message ? pathsIn(message, choices.recall(topic), limits.paths.count, birth) : [];
  }, [value.payload, decoded]);
  const [typed, setTyped] = useState<string>();
  const problem = useTold();
  const path = typed ?? paths[0] ?? '';
  return (
    <form
      class="topics-tools flow from-top full"
      aria-label={t('Chart')}
      onSubmit={submits(() => {
        problem.value = bench.chart(node, path.trim()) ?? '';
      })}
    >
      <Field
        class="bare stretch"
        label={t('JSON path')}
        error={problem.value}
        control={(attributes) => (
          <input
            {...attributes}
            {...asTyped}
            class="input mono"
            list={id}
            placeholder={t('whole value, or a JSON path')}
            value={path}
            onInput={(event) => {
              setTyped(event.currentTarget.value);
              problem.value = '';
            }}
          />
        )}
      />
      <datalist id={id}>
        {paths.map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
      <Button small type="submit">
        {t('Add to chart')}
      </Button>
    </form>
  );
}

export function Details({ page, session }: PartProps) {
  const [said, copy] = useCopied();
  const { birthBefore, choices } = session;
  const bench = session.part(benchOf);
  const node = bench.selected.value;
  const history = bench.history.value;
  bench.tick.value;

  function close() {
    bench.select(undefined);
    document.querySelector<HTMLElement>('[role=tree]')?.focus();
  }

  if (!node || !history) return null;
  const topic = topicOf(node);
  const { last } = node;
  const here = publishHere(page, topic, session.id);
  const decoded = last && session.part(readingsOf).of({ topic, receivedAt: last.at });
  const current = last && { bench, choices, node, topic, value: last, birthBefore, decoded };
  return (
    <Sheet
      key={topic}
      side
      label={t('Topic details')}
      title={<bdi class="mono">{brief(topic, limits.topic)}</bdi>}
      onClose={close}
    >
      <Toolbar key={topic}>
        <Button small onClick={here.run}>
          {here.text}
        </Button>
        <Menu
          label={t('More')}
          commands={[
            ...topicCommands(page, filterOf(node)),
            { text: t('Copy topic'), run: () => copy(topic) },
          ]}
        />
        <Said>{said}</Said>
      </Toolbar>
      {current && <Current key={`value ${topic}`} {...current} />}
      <Facts look="line" facts={factsOf(node, bench.now())} />
      {node.last && <Facts facts={toFacts(propertiesOf(node.last))} />}
      {current && (
        <>
          <h4>{t('Chart')}</h4>
          <ToChart key={topic} {...current} />
          <h4>{t('Changes')}</h4>
          <Changes key={topic} bench={bench} session={session} history={history} />
        </>
      )}
      {node.retainedBelow > 0 && (
        <Button small look="stop" onClick={() => bench.askToClear(node)}>
          {t('Clear retained ({count})…', { count: node.retainedBelow })}
        </Button>
      )}
    </Sheet>
  );
}
