import type { ComponentProps } from 'preact';
import { t } from '../core/i18n/i18n';
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

interface FileProps extends Look, Pick<ComponentProps<'input'>, 'accept' | 'disabled'> {
  text?: string;
  /** The accessible name, if it says more than the text. */
  label?: string;
  onFile?(file: File): unknown;
  /** Several may be chosen. */
  onFiles?(files: File[]): unknown;
}

/** Chooses files, and looks like a button. */
export function FileButton(props: FileProps) {
  const { text = t('Import…'), label, onFile, onFiles, look, small, class: name, ...rest } = props;
  return (
    <label class={`${classesFor({ look, small, class: name })} ${styles.file}`}>
      {text}
      <input
        class="visually-hidden"
        type="file"
        {...rest}
        multiple={onFiles !== undefined}
        aria-label={label}
        onChange={(event) => {
          const input = event.currentTarget;
          const files = [...(input.files ?? [])];
          input.value = ''; // so that the same file can be chosen again
          if (!files[0]) return;
          onFile?.(files[0]);
          onFiles?.(files);
        }}
      />
    </label>
  );
}
