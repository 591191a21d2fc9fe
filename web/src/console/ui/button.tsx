import type { ComponentProps } from 'preact';
import styles from './button.module.css';

interface Look {
  /** `stop` deletes or ends something. */
  look?: 'primary' | 'stop' | 'quiet' | 'icon' | 'link' | undefined;
  small?: boolean | undefined;
  class?: string | undefined;
}

function classesFor({ look, small, class: name }: Look): string {
  if (look === 'link') return `${styles.link} ${name ?? ''}`;
  return [styles.button, look && styles[look], small && styles.small, name].filter(Boolean).join(' ');
}

type ButtonProps = Look & Omit<ComponentProps<'button'>, 'class' | 'className'>;

/** One that opens something, or is pressed, says so in `aria-expanded` and `aria-pressed`, and looks like it. */
export function Button({ look, small, class: name, type = 'button', ...rest }: ButtonProps) {
  return <button {...rest} type={type} class={classesFor({ look, small, class: name })} />;
}

type IconProps = Omit<ButtonProps, 'look' | 'small'> & { label: string };

/** A button with a symbol, which needs a label for assistive technology. */
export function IconButton({ label, children = '×', ...rest }: IconProps) {
  return (
    <Button {...rest} look="icon" aria-label={label}>
      {children}
    </Button>
  );
}

interface FileProps {
  text: string;
  /** The accessible name, if it says more than the text. */
  label?: string;
  accept?: string;
  multiple?: boolean;
  disabled?: boolean;
  look?: 'quiet';
  small?: boolean;
  class?: string;
  onFiles(files: File[]): void;
}

/** Chooses files, and looks like a button. */
export function FileButton({ text, label, onFiles, look, small, class: name, ...rest }: FileProps) {
  return (
    <label class={`${classesFor({ look, small, class: name })} ${styles.file}`}>
      {text}
      <input
        class="visually-hidden"
        type="file"
        {...rest}
        aria-label={label}
        onChange={(event) => {
          const input = event.currentTarget;
          const files = [...(input.files ?? [])];
          input.value = ''; // so that the same file can be chosen again
          if (files.length > 0) onFiles(files);
        }}
      />
    </label>
  );
}
