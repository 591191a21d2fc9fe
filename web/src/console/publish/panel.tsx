import { useId } from 'preact/hooks';
import { formatCount, formatTime, visible } from '../text';
import { Checkbox, qosOptions, Select, TextArea, TextField } from '../ui/fields';
import type { Outcome, Publisher } from './store';
import { hasCounter } from './template';
import './publish.css';

function Outcomes({ publisher }: { publisher: Publisher }) {
  const outcomes = publisher.outcomes.value;
  return (
    // A row every second would talk over everything else.
    <ol
      class="outcomes"
      aria-label="Results"
      aria-live={publisher.repeating.value ? 'off' : 'polite'}
      aria-relevant="additions text"
    >
      {outcomes.map((outcome) => (
        <OutcomeRow key={outcome.id} outcome={outcome} />
      ))}
    </ol>
  );
}

function OutcomeRow({ outcome }: { outcome: Outcome }) {
  return (
    <li class="outcome" data-tone={outcome.tone}>
      <time class="outcome-time">{formatTime(outcome.at)}</time>
      <span class="outcome-text">{outcome.text}</span>
      <bdi class="outcome-topic">{visible(outcome.topic)}</bdi>
    </li>
  );
}

function Hint({ publisher }: { publisher: Publisher }) {
  const { payload } = publisher.draft.value;
  if (hasCounter(payload)) {
    return (
      <>
        <code>{'{{n}}'}</code> counts 0, 1, 2, …; next is {formatCount(publisher.next.value)}.
      </>
    );
  }
  return (
    <button
      type="button"
      class="link"
      onClick={() =>
        publisher.edit({ payload: `${payload}${payload && !/\s$/.test(payload) ? ' ' : ''}{{n}}` })
      }
    >
      Insert {'{{n}}'}, a counter: 0, 1, 2, …
    </button>
  );
}

export function PublishPanel({ publisher }: { publisher: Publisher }) {
  const heading = useId();
  const draft = publisher.draft.value;
  const errors = publisher.fieldErrors.value;
  const repeating = publisher.repeating.value;
  const go = () => (repeating ? publisher.stop() : publisher.publish());

  return (
    <section class="panel" id="publish">
      <form
        class="publish-form"
        aria-labelledby={heading}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          go();
        }}
      >
        <h2 id={heading}>Publish</h2>
        <TextField
          label="Topic"
          value={draft.topic}
          error={errors.topic}
          onEdit={(topic) => publisher.edit({ topic })}
        />
        <TextArea
          label="Payload"
          rows={3}
          value={draft.payload}
          error={errors.payload}
          hint={<Hint publisher={publisher} />}
          onEdit={(payload) => publisher.edit({ payload })}
          onSubmit={go}
        />
        <div class="publish-settings">
          <Select
            label="QoS"
            class="inline"
            value={draft.qos}
            error={errors.qos}
            options={qosOptions}
            onEdit={(qos) => publisher.edit({ qos })}
          />
          <Checkbox label="Retain" checked={draft.retain} onEdit={(retain) => publisher.edit({ retain })} />
        </div>
        <div class="publish-repeat">
          <Checkbox
            label="Repeat every"
            name="Repeat every N seconds"
            checked={draft.repeat}
            onEdit={(repeat) => publisher.edit({ repeat })}
          />
          <input
            class="input seconds"
            type="number"
            inputMode="decimal"
            min="0.1"
            step="any"
            aria-label="Seconds between messages"
            aria-invalid={errors.seconds ? 'true' : undefined}
            aria-describedby={errors.seconds ? `${heading}-seconds` : undefined}
            value={draft.seconds}
            onInput={(event) => publisher.edit({ seconds: event.currentTarget.value })}
          />
          <span>seconds</span>
          {errors.seconds && (
            <p class="field-error" id={`${heading}-seconds`} role="alert">
              {errors.seconds}
            </p>
          )}
        </div>
        <div class="publish-go">
          <button type="submit" class={repeating ? 'button stop' : 'button primary'}>
            {repeating ? 'Stop' : 'Publish'}
          </button>
          {repeating && (
            <span class="publish-progress">
              {formatCount(repeating.sent)} sent, one every {repeating.seconds} s, to{' '}
              <bdi>{visible(repeating.topic)}</bdi>
            </span>
          )}
        </div>
      </form>
      <Outcomes publisher={publisher} />
    </section>
  );
}
