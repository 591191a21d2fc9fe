import { type Choice, Choices } from './fields';
import './icon-select.css';

interface Props<T extends string> extends Choice<T> {
  label: string;
  /** Of a picture 16 units wide and high. */
  path: string;
}

/** A choice for the page's head, which has little room: on a phone it is the picture only. */
export function IconSelect<T extends string>({ label, path, ...choice }: Props<T>) {
  return (
    <span class="icon-select" title={label}>
      <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
        <path d={path} />
      </svg>
      <Choices aria-label={label} {...choice} />
    </span>
  );
}
