import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { messages, topics } from '../../core/counts';
import { t } from '../../core/i18n/i18n';
import { limits } from '../../core/limits';
import { brief, decodeUtf8, formatBytes, formatCount, formatTime, hex } from '../../core/text';
import { propertiesOf } from '../../payload/preview';
import { rateOf, type TopicNode, topicOf, type Value } from '../../topics/model';
import { pathsIn } from '../../topics/number';
import { formatRate, shownOf } from '../../topics/preview';
import type { Workbench } from '../../topics/workbench';
import { Changes } from './changes';
import './details.css';

function factsOf(node: TopicNode, now: number): [string, string][] {
  const { last } = node;
  const below = node.topics - (last ? 1 : 0);
  const facts: [string, string][] = [];
  if (last) {
    facts.push([t('Received'), formatTime(last.at)]);
    facts.push([t('Delivery'), `QoS ${last.qos}${last.retain ? `, ${t('retained')}` : ''}`]);
    facts.push([t('Payload'), formatBytes(last.size)]);
  }
  facts.push([t('Messages'), formatCount(node.count)]);
  if (below > 0) {
    const numbers = { topics: topics(below), messages: messages(node.total) };
    facts.push([t('Below'), t('{topics}, {messages} in all', numbers)]);
  }
  facts.push([t('Rate'), formatRate(rateOf(node, now)) || '0/s']);
  return last ? [...facts, ...propertiesOf(last)] : facts;
}

async function copy(text: string): Promise<string> {
  try {
    await navigator.clipboard.writeText(text);
    return t('Copied');
  } catch {
    // No clipboard for a page over plain http.
    return t('The browser does not let this page copy');
  }
}

function CopyButtons({ topic, value }: { topic: string; value: Value | undefined }) {
  const [said, setSaid] = useState('');
  const payload = value?.payload;
  return (
    <div class="topics-tools">
      <button type="button" class="button small" onClick={async () => setSaid(await copy(topic))}>
        {t('Copy topic')}
      </button>
      {payload && payload.length > 0 && (
        <button
          type="button"
          class="button small"
          onClick={async () => setSaid(await copy(decodeUtf8(payload) ?? hex(payload)))}
        >
          {t('Copy value')}
        </button>
      )}
      <span class="topics-said" aria-live="polite">
        {said}
      </span>
    </div>
  );
}

function Current({ value }: { value: Value }) {
  const { payload, size } = value;
  const shown = useMemo(() => payload && shownOf(payload, limits.value.text, limits.value.lines), [payload]);
  if (!shown) {
    return (
      <p class="empty-line">
        {t('{size}, not kept: the tree has no room left.', { size: formatBytes(size) })}
      </p>
    );
  }
  if (size === 0) return <p class="empty-line">{t('The payload is empty.')}</p>;
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and the keyboard has to reach that */}
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for controls */}
      <pre class="topics-text" data-kind={shown.kind} tabIndex={0} role="group" aria-label={t('Value')}>
        {shown.text}
      </pre>
      {shown.more > 0 && (
        <p class="empty-line">{t('… {count} more bytes', { count: formatCount(shown.more) })}</p>
      )}
      {shown.cut && (
        <p class="empty-line">
          {t('Only the first {count} lines.', { count: formatCount(limits.value.lines) })}
        </p>
      )}
    </>
  );
}

/** Puts the topic's number on the chart, or one of the numbers in its JSON. */
function ToChart({ bench, node, value }: { bench: Workbench; node: TopicNode; value: Value }) {
  const id = useId();
  const paths = useMemo(
    () => (value.payload ? pathsIn(value.payload, limits.paths.count) : []),
    [value.payload],
  );
  const [typed, setTyped] = useState<string>();
  const [problem, setProblem] = useState<string>();
  const path = typed ?? paths[0] ?? '';
  return (
    <form
      class="topics-tools"
      aria-label={t('Chart')}
      onSubmit={(event) => {
        event.preventDefault();
        setProblem(bench.chart(node, path.trim()));
      }}
    >
      <label class="visually-hidden" for={id}>
        {t('JSON path')}
      </label>
      <input
        id={id}
        class="input mono"
        list={`${id}-paths`}
        placeholder={t('whole value, or a JSON path')}
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        value={path}
        {...(problem && { 'aria-invalid': true, 'aria-describedby': `${id}-problem` })}
        onInput={(event) => {
          setTyped(event.currentTarget.value);
          setProblem(undefined);
        }}
      />
      <datalist id={`${id}-paths`}>
        {paths.map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
      <button type="submit" class="button small">
        {t('Add to chart')}
      </button>
      {problem && (
        <p class="field-error" id={`${id}-problem`} role="alert">
          {problem}
        </p>
      )}
    </form>
  );
}

export function Details({ bench }: { bench: Workbench }) {
  const panel = useRef<HTMLElement>(null);
  const node = bench.selected.value;
  const history = bench.history.value;
  bench.tick.value;

  useLayoutEffect(() => {
    panel.current?.scrollTo(0, 0);
  }, [node]);

  useEffect(() => {
    if (!node) return;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && panel.current?.contains(event.target as Node)) close();
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, [node]);

  function close() {
    bench.select(undefined);
    panel.current?.closest('.topics')?.querySelector<HTMLElement>('[role=tree]')?.focus();
  }

  if (!node || !history) return null;
  const topic = topicOf(node);
  const { last } = node;
  return (
    <section ref={panel} class="topics-details" aria-label={t('Topic details')}>
      <header class="topics-details-head">
        <h3>
          <bdi class="mono">{brief(topic, limits.topic)}</bdi>
        </h3>
        <button type="button" class="button icon" aria-label={t('Close details')} onClick={close}>
          ×
        </button>
      </header>
      <CopyButtons key={topic} topic={topic} value={last} />
      {last && <Current value={last} />}
      <dl class="topics-list">
        {factsOf(node, bench.now()).map(([name, value], index) => (
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
      {last && (
        <>
          <h4>{t('Chart')}</h4>
          <ToChart key={topic} bench={bench} node={node} value={last} />
          <h4>{t('Changes')}</h4>
          <Changes key={topic} bench={bench} history={history} />
        </>
      )}
      {node.retainedBelow > 0 && (
        <button type="button" class="button small stop" onClick={() => bench.askToClear(node)}>
          {t('Clear retained ({count})…', { count: formatCount(node.retainedBelow) })}
        </button>
      )}
    </section>
  );
}
