/** Lists of commands: one that a button opens (the menu button pattern of ARIA), and one at the pointer. */

import { type ComponentProps, type RefObject, render } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Words } from '../core/i18n/i18n';
import { Button } from './button';
import styles from './menu.module.css';
import { useTold } from './told';

export interface Command {
  text: string;
  /** Deletes or ends something. */
  stop?: boolean;
  /** If it resolves with words, they are an error, which is shown instead of the commands. */
  run(): unknown;
}

interface Props {
  label: string;
  commands: readonly Command[];
}

/** The place of a menu, in pixels. */
export type Place = Pick<DOMRect, 'left' | 'top' | 'bottom'>;

const steps: Record<string, (at: number, count: number) => number> = {
  ArrowDown: (at, count) => (at + 1) % count,
  ArrowUp: (at, count) => (at - 1 + count) % count,
  Home: () => 0,
  End: (_, count) => count - 1,
};

/** Below its place, or above it where there is no room. */
function begin(list: HTMLElement, { left, top, bottom }: Place): void {
  const { width, height } = list.getBoundingClientRect();
  const below = bottom + height <= innerHeight;
  list.style.left = `${Math.max(0, Math.min(left, innerWidth - width))}px`;
  list.style.top = `${below ? bottom : Math.max(0, top - height)}px`;
  list.querySelector('button')?.focus();
}

interface ListProps extends Props, Pick<ComponentProps<'div'>, 'id' | 'popover' | 'onFocusOut'> {
  list: RefObject<HTMLDivElement | null>;
  /** Returns the focus, too. */
  close(): void;
  onOpen?(open: boolean): void;
}

function List({ list, label, commands, close, onOpen, ...rest }: ListProps) {
  const problem = useTold();

  function onKeyDown(event: KeyboardEvent) {
    if (event.key === 'Escape' || event.key === 'Tab') {
      // For the menu only, not for what it was opened from.
      event.preventDefault();
      close();
    }
    const items = [...(list.current?.querySelectorAll('button') ?? [])];
    const next = steps[event.key]?.(items.indexOf(document.activeElement as HTMLButtonElement), items.length);
    if (next === undefined) return;
    event.preventDefault();
    items[next]?.focus();
  }

  async function choose(command: Command): Promise<void> {
    const result = command.run();
    // At once, so that a dialog that is about to open returns the focus to the right place.
    if (!(result instanceof Promise)) return close();
    const said: unknown = await result;
    if (typeof said !== 'function') return close();
    list.current?.focus();
    problem.value = said as Words;
  }

  return (
    // The keys are those of the menu in it.
    // biome-ignore lint/a11y/noStaticElementInteractions: see above
    <div
      {...rest}
      ref={list}
      tabIndex={-1}
      class={`raised ${styles.menu}`}
      onKeyDown={onKeyDown}
      onToggle={({ newState }) => {
        problem.value = '';
        onOpen?.(newState === 'open');
      }}
    >
      {problem.value ? (
        <p class="narrow inset small-text" role="alert">
          {problem.value}
        </p>
      ) : (
        <div role="menu" aria-label={label}>
          {commands.map((command) => (
            <button
              key={command.text}
              type="button"
              role="menuitem"
              tabIndex={-1}
              class={command.stop ? 'bad' : ''}
              onClick={() => void choose(command)}
            >
              {command.text}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

export function Menu({ label, commands }: Props) {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button small popovertarget={id} aria-haspopup="menu" aria-expanded={open}>
        {label} <span aria-hidden="true">▾</span>
      </Button>
      <List
        list={list}
        id={id}
        label={label}
        commands={commands}
        popover="auto"
        close={() => list.current?.hidePopover()}
        onOpen={(now) => {
          setOpen(now);
          const button = document.querySelector(`[popovertarget="${id}"]`);
          if (now && list.current && button) begin(list.current, button.getBoundingClientRect());
        }}
      />
    </>
  );
}

interface ContextProps extends Props {
  place: Place;
  onClosed(): void;
}

function ContextMenu({ place, onClosed, ...props }: ContextProps) {
  const list = useRef<HTMLDivElement>(null);
  const back = useRef(document.activeElement as HTMLElement | null).current;
  const hide = () => list.current?.hidePopover();
  useLayoutEffect(() => {
    list.current?.showPopover();
    if (list.current) begin(list.current, place);
  }, []);
  return (
    <List
      {...props}
      list={list}
      // If the mouse button is still down, its release would close a popover that closes
      // automatically.
      popover="manual"
      close={() => {
        back?.focus();
        hide();
      }}
      onFocusOut={({ currentTarget, relatedTarget }) => {
        if (!currentTarget.contains(relatedTarget as Node | null)) hide();
      }}
      onOpen={(open) => !open && onClosed()}
    />
  );
}

/** Opens a menu inside `parent`, for as long as it has the focus. */
export function openMenu(parent: Element, props: Props & { place: Place }): void {
  const root = document.createElement('div');
  root.className = styles.root ?? '';
  parent.append(root);
  function close(): void {
    render(null, root);
    root.remove();
  }
  render(<ContextMenu {...props} onClosed={close} />, root);
}
