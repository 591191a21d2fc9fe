import { t } from '../../core/i18n/i18n';
import { limits } from '../../core/limits';
import { brief, formatBytes } from '../../core/text';
import type { Choices } from '../../payload/choices';
import type { Answer, Publisher } from '../../session/publisher';
import { Button } from '../../ui/button';
import { PayloadView } from '../../ui/payload/view';

function Body({ answer, choices }: { answer: Answer; choices: Choices }) {
  const { message, failure, milliseconds } = answer;
  if (failure) return <p class="field-error wrap bad small-text">{failure()}</p>;
  if (!message) return <p class="empty-line">{t('Waiting for the answer…')}</p>;
  const { contentType } = message.properties;
  return (
    <>
      <p class="muted">
        {t('After {milliseconds} ms, {size}', {
          milliseconds: milliseconds ?? 0,
          size: formatBytes(message.payload.length),
        })}
        {contentType && `, ${brief(contentType, limits.name)}`}
      </p>
      <PayloadView choices={choices} message={message} />
    </>
  );
}

export function AnswerPart({ publisher }: { publisher: Publisher }) {
  const answer = publisher.answer.value;
  if (!answer) return null;
  const waiting = !answer.message && !answer.failure;
  return (
    // Not announced: a line of the results is.
    <section class="answer stack tight box above inset sunken" aria-label={t('Answer')}>
      <header class="line">
        <h3>{t('Answer')}</h3>
        <bdi class="grow mono fine clip">{t('to {topic}', { topic: brief(answer.topic, limits.topic) })}</bdi>
        <Button small look="quiet" onClick={() => publisher.dismissAnswer()}>
          {waiting ? t('Stop waiting') : t('Close')}
        </Button>
      </header>
      <Body answer={answer} choices={publisher.choices} />
    </section>
  );
}
