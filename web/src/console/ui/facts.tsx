import type { ComponentChildren } from 'preact';
import styles from './facts.module.css';

export interface Fact {
  name: ComponentChildren;
  value: ComponentChildren;
  title?: string;
  alarm?: boolean;
}

interface Props {
  facts: readonly Fact[];
  /** `table`: a line each; `cells`: the value below its name; `line`: all in one line. */
  look?: 'table' | 'cells' | 'line';
  class?: string;
  label?: string;
  /** It may scroll, and must then be reachable by keyboard. */
  scrolls?: boolean;
}

/** Those that have a value. */
export const toFacts = (pairs: readonly (readonly [name: string, value: ComponentChildren])[]): Fact[] =>
  pairs.flatMap(([name, value]) => (value === undefined || value === false ? [] : { name, value }));

/** Names with their values. */
export function Facts({ facts, look = 'table', class: name = '', label, scrolls }: Props) {
  if (facts.length === 0) return null;
  return (
    <dl
      class={`${styles.facts} ${styles[look]} numbers small-text ${name}`}
      {...(label && { 'aria-label': label })}
      {...(scrolls && { tabIndex: 0 })}
    >
      {facts.map(({ name, value, title, alarm }, index) => (
        <div key={index} title={title} data-alarm={alarm}>
          <dt>
            <bdi>{name}</bdi>
          </dt>
          <dd>
            <bdi>{value}</bdi>
          </dd>
        </div>
      ))}
    </dl>
  );
}
