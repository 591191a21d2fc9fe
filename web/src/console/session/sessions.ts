/** The connections that are open at once. There is always one, and one of them is shown. */

import { batch, signal } from '@preact/signals';
import { createHues } from '../log/colours';

export interface Member {
  /** Unique. */
  readonly id: number;
  /** Ends everything in it. */
  dispose(): void;
}

export type Sessions<M extends Member> = ReturnType<typeof createSessions<M>>;

/** `create` makes a connection with this number. */
export function createSessions<M extends Member>(create: (id: number) => M) {
  let ids = 0;
  const first = create(++ids);
  const list = signal<readonly M[]>([first]);
  const active = signal<M>(first);

  /** Opens another one, which is shown at once. */
  function open(): M {
    const member = create(++ids);
    batch(() => {
      list.value = [...list.value, member];
      active.value = member;
    });
    return member;
  }

  function show(member: M): void {
    if (list.value.includes(member)) active.value = member;
  }

  /** Ends it. The last one stays, since a page without a connection has nothing to show. */
  function close(member: M): void {
    const at = list.value.indexOf(member);
    const rest = list.value.filter((other) => other !== member);
    const next = rest[Math.min(at, rest.length - 1)];
    if (at < 0 || !next) return;
    batch(() => {
      list.value = rest;
      if (active.value === member) active.value = next;
    });
    member.dispose();
  }

  return { list, active, open, show, close, /** By its name. */ hueOf: createHues() };
}
