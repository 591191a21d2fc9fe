import { useRef } from 'preact/hooks';
import type { Message } from '../../session/message';
import type { Publisher } from '../../session/publisher';

type Typed = Pick<Message, 'payload' | 'format' | 'type'>;

/**
 * Brings back payloads that were sent before, as a shell does with commands; the topic stays, so
 * that nothing is sent to an unnoticed topic. Returns a function to call with 1 for an earlier one
 * and -1 for a later one, which returns whether it did anything. Unless `anyway`, it does so only
 * where the caret can't move up or down.
 */
export function useEarlier(publisher: Publisher) {
  /** Which is shown, the newest being 0; -1: what was being typed. */
  const at = useRef(-1);
  const typed = useRef<Typed>(null);

  return function step(by: number, anyway: boolean): boolean {
    const { payload, format, type } = publisher.draft.peek();
    const earlier = publisher.sent.peek().flatMap(({ message }) => (message.file ? [] : [message]));
    const shown = earlier[at.current]?.payload === payload;
    if (!shown) at.current = -1; // it was edited since
    if (!anyway && payload !== '' && (!shown || payload.includes('\n'))) return false;
    let to = at.current + by;
    while (earlier[to]?.payload === payload) to += by;
    if (to < -1 || to >= earlier.length) return anyway;
    if (at.current < 0) typed.current = { payload, format, type };
    at.current = to;
    const next = earlier[to] ?? typed.current;
    if (next) publisher.edit({ payload: next.payload, format: next.format, type: next.type });
    return true;
  };
}
