import { useId, useState } from 'preact/hooks';
import { formatCount, formatTime, visible } from '../../core/text';
import { countProperties } from '../../session/message';
import type { Page, PartProps } from '../../session/page';
import type { Publisher } from '../../session/publisher';
import { Button, FileButton } from '../../ui/button';
import { FieldError, fieldsOf, qosOptions, submits } from '../../ui/fields';
import { useFold } from '../../ui/fold';
import { onDemand } from '../../ui/on-demand';
import { Payload } from './payload';
import { TopicField } from './topic';
import './publish.css';
import { mark, parts, t } from '../../core/i18n/i18n';

const AnswerPart = onDemand(async () => (await import('./answer')).AnswerPart);
/** What unfolds below the form. */
const folds = {
  properties: [mark('Properties'), onDemand(async () => (await import('./properties')).MessageProperties)],
  saved: [mark('Saved'), onDemand(async () => (await import('./saved')).SavedMessages)],
  sent: [mark('Sent'), onDemand(async () => (await import('./sent')).SentMessages)],
} as const;

function Outcomes({ publisher }: { publisher: Publisher }) {
  const outcomes = publisher.outcomes.value;
  return (
    // Not announced: a row every second would drown everything else.
    <ol
      class="outcomes scrolls unless-empty small-text above"
      // A scrolling list must be reachable by keyboard.
      tabIndex={outcomes.length > 1 ? 0 : -1}
      aria-label={t('Results')}
      aria-live={publisher.repeating.value ? 'off' : 'polite'}
      aria-relevant="additions text"
    >
      {outcomes.map(({ id, tone, at, text, topic }) => (
        <li key={id} class="outcome" data-tone={tone}>
          <time class="mono fine">{formatTime(at)}</time>
          <span class="outcome-text wrap tone">{text()}</span>
          <bdi class="mono fine clip right">{visible(topic)}</bdi>
        </li>
      ))}
    </ol>
  );
}

type Range = { inputMode: 'decimal' | 'numeric'; min: string; step: string; placeholder?: string };

function Repeat({ publisher }: { publisher: Publisher }) {
  const id = useId();
  const errors = publisher.fieldErrors.value;
  const { flag } = fieldsOf(publisher.draft.value, errors, publisher.edit);
  const number = (label: string, name: 'seconds' | 'times', more: Range) => (
    <input
      class="input seconds"
      type="number"
      {...more}
      aria-label={label}
      aria-invalid={errors[name] ? 'true' : undefined}
      aria-describedby={errors[name] ? id : undefined}
      value={publisher.draft.value[name]}
      onInput={(event) => publisher.edit({ [name]: event.currentTarget.value })}
    />
  );
  return (
    <div class="publish-repeat flow small-text">
      {flag(t('Repeat every'), 'repeat', t('Repeat every N seconds'))}
      {number(t('Seconds between messages'), 'seconds', { inputMode: 'decimal', min: '0.1', step: 'any' })}
      <span>{t('s,')}</span>
      {number(t('How many times; empty until stopped'), 'times', {
        inputMode: 'numeric',
        min: '1',
        step: '1',
        placeholder: '∞',
      })}
      <span>{t('times')}</span>
      <FieldError id={id}>{errors.seconds ?? errors.times}</FieldError>
    </div>
  );
}

type Fold = keyof typeof folds;

interface MoreProps {
  page: Page;
  publisher: Publisher;
  open: Fold | undefined;
  toggle(name: Fold): void;
}

function More({ page, publisher, open, toggle }: MoreProps) {
  const id = useId();
  const { properties, correlation } = publisher.draft.value;
  const Part = open && folds[open][1];
  const counts = {
    properties: countProperties(properties) + (correlation ? 1 : 0),
    saved: 0,
    sent: publisher.sent.value.length,
  };
  return (
    <div class="publish-more">
      <div class="publish-tools flow">
        {(Object.keys(folds) as Fold[]).map((name) => (
          <Button
            small
            look="quiet"
            key={name}
            aria-expanded={open === name}
            aria-controls={id}
            onClick={() => toggle(name)}
          >
            {t(folds[name][0])}
            {counts[name] > 0 && <span class="tool-count chip">{formatCount(counts[name])}</span>}
          </Button>
        ))}
        <FileButton
          small
          look="quiet"
          class="end"
          text={t('File…')}
          label={t('File as payload')}
          onFile={publisher.attach}
        />
      </div>
      <div class="publish-part" id={id}>
        {Part && <Part page={page} publisher={publisher} />}
      </div>
    </div>
  );
}

export function PublishPanel({ page, session }: PartProps) {
  const { publisher } = session;
  const heading = useId();
  const [over, setOver] = useState(false);
  const draft = publisher.draft.value;
  const errors = publisher.fieldErrors.value;
  const { choice, flag } = fieldsOf(draft, errors, publisher.edit);
  const repeating = publisher.repeating.value;
  const go = () => (repeating ? publisher.stop() : publisher.publish());
  const wrong = Object.keys(errors).some((name) => name in draft.properties);
  const [open, toggle] = useFold<Fold>(wrong ? 'properties' : undefined);

  return (
    <section
      id="publish"
      aria-labelledby={heading}
      data-over={over}
      onDragOver={(event) => {
        if (!event.dataTransfer?.types.includes('Files')) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        setOver(false);
        const [file] = event.dataTransfer?.files ?? [];
        if (!file) return;
        event.preventDefault();
        void publisher.attach(file);
      }}
    >
      <div class="publish-dock">
        <form class="publish-form stack roomy" aria-labelledby={heading} noValidate onSubmit={submits(go)}>
          <h2 id={heading}>{t('Publish')}</h2>
          <TopicField publisher={publisher} model={session.topics.model} />
          <Payload
            publisher={publisher}
            go={go}
            onFormat={(format) => {
              publisher.edit({ format });
              // The message's type has to be chosen there.
              if (format === 'protobuf' && open !== 'properties') toggle('properties');
            }}
          />
          <div class="wide flow">
            {choice('QoS', 'qos', qosOptions, { class: 'inline' })}
            {flag(t('Retain'), 'retain')}
          </div>
          <Repeat publisher={publisher} />
          <div class="publish-go line roomy">
            <Button type="submit" look={repeating ? 'stop' : 'primary'}>
              {repeating ? t('Stop') : t('Publish')}
            </Button>
            {repeating ? (
              <span class="muted wrap">
                {parts(
                  repeating.times
                    ? '{sent} of {times} sent, one every {seconds} s, to {topic}'
                    : '{sent} sent, one every {seconds} s, to {topic}',
                  {
                    sent: repeating.sent,
                    times: repeating.times ?? 0,
                    seconds: repeating.seconds,
                    topic: <bdi>{visible(repeating.topic)}</bdi>,
                  },
                )}
                {repeating.failed && (
                  <span class="publish-problem">{t('{count} failed', { count: repeating.failed })}</span>
                )}
              </span>
            ) : (
              <Button
                title={t('Publish once, and wait for the answer')}
                onClick={() => void publisher.request()}
              >
                {t('Request')}
              </Button>
            )}
          </div>
        </form>
        <More page={page} publisher={publisher} open={open} toggle={toggle} />
        {publisher.answer.value && <AnswerPart publisher={publisher} />}
        <Outcomes publisher={publisher} />
      </div>
    </section>
  );
}
