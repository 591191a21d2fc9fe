import { endTopic, type Sink } from '../contestants/contestant';

export interface Received {
  messages: number;
  /** Messages a second, from asking for the flood until its last message. */
  rate: number;
}

/** Counts what comes, and looks at each topic and payload as a listener does. */
export interface Tally extends Sink {
  /** Counts from nothing. Resolves when the flood's last message has come. */
  begin(): Promise<Received>;
  /** Resolves with the time when so many have come. */
  reached(messages: number): Promise<number>;
  count(): number;
}

export function createTally(): Tally {
  let count = 0;
  let touched = 0;
  let began = 0;
  let settle: (received: Received) => void = () => {};
  let marks: { at: number; resolve: (time: number) => void }[] = [];
  let nextMark = Number.POSITIVE_INFINITY;

  function mark(): void {
    const time = performance.now();
    for (const { at, resolve } of marks) if (at <= count) resolve(time);
    marks = marks.filter(({ at }) => at > count);
    nextMark = Math.min(...marks.map(({ at }) => at));
  }

  function end(): void {
    // Read, so that no engine finds out that nobody needs the topics and payloads.
    if (touched < 0) throw new Error('negative lengths');
    settle({ messages: count, rate: (count / (performance.now() - began)) * 1000 });
  }

  return {
    begin() {
      count = 0;
      began = performance.now();
      return new Promise((resolve) => {
        settle = resolve;
      });
    },
    count: () => count,
    reached: (at) =>
      new Promise((resolve) => {
        marks.push({ at, resolve });
        mark();
      }),
    message(topic, payload) {
      if (topic === endTopic) return end();
      count++;
      touched += topic.length + payload.length + (payload[0] ?? 0);
      if (count >= nextMark) mark();
    },
    frame(_, messages, ended) {
      count += messages;
      if (count >= nextMark) mark();
      if (ended) end();
    },
  };
}
