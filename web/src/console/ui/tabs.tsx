import { useRef } from 'preact/hooks';
import styles from './tabs.module.css';

interface Props<T extends string> {
  label: string;
  tabs: readonly (readonly [name: T, text: string])[];
  chosen: T;
  /** The element ids of a tab, and of its panel. */
  ids(name: T): { tab: string; panel: string };
  onChoose(name: T): void;
}

/** The tabs only: the panels are the caller's, who may keep them when they are hidden. */
export function TabList<T extends string>({ label, tabs, chosen, ids, onChoose }: Props<T>) {
  const list = useRef<HTMLDivElement>(null);

  function onKeyDown(event: KeyboardEvent) {
    const at = tabs.findIndex(([name]) => name === chosen);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: -1 }[event.key];
    const next = to === undefined ? undefined : tabs.at(to % tabs.length);
    if (!next) return;
    event.preventDefault();
    onChoose(next[0]);
    list.current?.querySelector<HTMLElement>(`[data-tab="${next[0]}"]`)?.focus();
  }

  return (
    <div
      ref={list}
      class={`line tight ${styles.tabs}`}
      role="tablist"
      aria-label={label}
      onKeyDown={onKeyDown}
    >
      {tabs.map(([name, text]) => (
        <button
          key={name}
          type="button"
          role="tab"
          id={ids(name).tab}
          data-tab={name}
          aria-controls={ids(name).panel}
          aria-selected={name === chosen}
          tabIndex={name === chosen ? 0 : -1}
          onClick={() => onChoose(name)}
        >
          {text}
        </button>
      ))}
    </div>
  );
}
