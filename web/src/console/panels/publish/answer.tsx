import { limits } from '../../core/limits';
import { brief, decodeUtf8, formatBytes, headOf, hexDump, visibleLines } from '../../core/text';
import type { Answer, Publisher } from '../../session/publisher';
import './answer.css';
import { t } from '../../core/i18n/i18n';

function shownText(payload: Uint8Array): string {
  const head = headOf(payload, limits.answer.text);
  const text = decodeUtf8(head);
  return text === undefined ? hexDump(head.subarray(0, limits.answer.hex)) : visibleLines(text);
}

function Body({ answer }: { answer: Answer }) {
  const { message, failure, milliseconds } = answer;
  if (failure) return <p class="field-error">{failure}</p>;
  if (!message) return <p class="empty-line">{t('Waiting for the answer…')}</p>;
  const { contentType } = message.properties;
  return (
    <>
      <p class="answer-facts">
        {t('After {milliseconds} ms, {size}', {
          milliseconds: milliseconds ?? 0,
          size: formatBytes(message.payload.length),
        })}
        {contentType && `, ${brief(contentType, limits.name)}`}
      </p>
      <pre class="answer-payload">{shownText(message.payload)}</pre>
      {message.payload.length > limits.answer.text && (
        <p class="empty-line">{t('The beginning; there is more.')}</p>
      )}
    </>
  );
}

export function AnswerPart({ publisher }: { publisher: Publisher }) {
  const answer = publisher.answer.value;
  if (!answer) return null;
  const waiting = !answer.message && !answer.failure;
  return (
    <section class="answer" aria-label={t('Answer')} aria-live="polite" aria-busy={waiting}>
      <header class="answer-head">
        <h3>{t('Answer')}</h3>
        <bdi class="answer-topic">{t('to {topic}', { topic: brief(answer.topic, limits.topic) })}</bdi>
        <button type="button" class="button small quiet" onClick={() => publisher.dismissAnswer()}>
          {waiting ? t('Stop waiting') : t('Close')}
        </button>
      </header>
      <Body answer={answer} />
    </section>
  );
}
