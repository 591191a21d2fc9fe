import './icon-select.css';

interface Props<T extends string> {
  label: string;
  /** Of a picture 16 units wide and high. */
  path: string;
  value: T;
  /** `lang` if the text is in a language other than the page's. */
  options: readonly (readonly [value: T, text: string, lang?: string])[];
  onEdit(value: T): void;
}

/** A choice for the page's head, which has little room: on a phone it is the picture only. */
export function IconSelect<T extends string>({ label, path, value, options, onEdit }: Props<T>) {
  return (
    <span class="icon-select" title={label}>
      <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
        <path d={path} />
      </svg>
      <select
        aria-label={label}
        value={value}
        onChange={(event) => {
          const chosen = options[event.currentTarget.selectedIndex];
          if (chosen) onEdit(chosen[0]);
        }}
      >
        {options.map(([option, text, lang]) => (
          <option key={option} value={option} lang={lang}>
            {text}
          </option>
        ))}
      </select>
    </span>
  );
}
