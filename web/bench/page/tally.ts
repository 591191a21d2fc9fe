import { endTopic, type Sink } from '../contestants/contestant';

export interface Received {
  messages: number;
  /** Messages a second, from requesting the flood to its last message. */
  rate: number;
}

/** Counts messages, and reads each topic and payload as a listener would. */
export interface Tally extends Sink {
  /** Resets the count. Resolves when the flood's last message has arrived. */
  begin(): Promise<Received>;
  /** Resolves with the time at which `messages` messages have arrived. */
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
    // Used, so that no engine optimises away the reads of topics and payloads.
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
