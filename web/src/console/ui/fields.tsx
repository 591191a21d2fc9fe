/** Form controls with their label, hint and error tied together. */

import type { ComponentChildren, ComponentProps, JSX } from 'preact';
import { useId } from 'preact/hooks';
import { mark, t } from '../core/i18n/i18n';
import './fields.css';

/** Of a field for names and values, in which nothing is completed or corrected. */
export const asTyped = { autocomplete: 'off', autocapitalize: 'none', spellcheck: false } as const;

/** For a form's `onSubmit`: nothing is sent anywhere. */
export const submits = (call: () => void) => (event: Event) => {
  event.preventDefault();
  call();
};

/** What is wrong, if anything, read out at once. */
export function FieldError({ id, children }: { id?: string; children: ComponentChildren }) {
  if (!children) return null;
  return (
    <p class="field-error wrap bad small-text" id={id} role="alert">
      {children}
    </p>
  );
}

interface Labelled {
  label: string;
  /** After the label. */
  aside?: ComponentChildren;
  error?: string | undefined;
  hint?: ComponentChildren;
  class?: string;
}

interface Described {
  id: string;
  'aria-invalid'?: 'true';
  'aria-describedby'?: string;
}

export function Field({
  label,
  aside,
  error,
  hint,
  class: name,
  control,
}: Labelled & { control: (attributes: Described) => JSX.Element }) {
  const id = useId();
  const described = [error && `${id}-error`, hint && `${id}-hint`].filter(Boolean).join(' ');
  const attributes: Described = { id };
  if (error) attributes['aria-invalid'] = 'true';
  if (described) attributes['aria-describedby'] = described;
  return (
    <div class={`field ${name ?? ''}`}>
      <label for={id}>{label}</label>
      {aside}
      {control(attributes)}
      <FieldError id={`${id}-error`}>{error}</FieldError>
      {hint && (
        <p class="field-hint wrap small-text" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

interface TextProps extends Labelled {
  value: string;
  onEdit(value: string): void;
  type?: 'text' | 'password' | 'search';
  placeholder?: string | undefined;
  /** Of the element, besides these. */
  input?: Pick<ComponentProps<'input'>, 'ref' | 'aria-autocomplete' | 'onFocus' | 'onBlur'>;
}

export function TextField({ value, onEdit, type = 'text', placeholder, input, ...labelled }: TextProps) {
  return (
    <Field
      {...labelled}
      control={(attributes) => (
        <input
          {...attributes}
          {...asTyped}
          {...input}
          // One of them: the types that inputs have differ in what else they may have.
          type={type as 'text'}
          class="input mono"
          value={value}
          placeholder={placeholder}
          onInput={(event) => onEdit(event.currentTarget.value)}
        />
      )}
    />
  );
}

export interface Choice<T extends string | number> {
  value: T;
  /** `lang` if the text is in a language other than the page's. */
  options: readonly (readonly [value: T, text: string, lang?: string])[];
  onEdit(value: T): void;
}

type ChoicesProps<T extends string | number> = Choice<T> &
  Pick<ComponentProps<'select'>, 'id' | 'class' | 'aria-label'>;

/** The element alone, for a place that is labelled in another way. */
export function Choices<T extends string | number>({ options, onEdit, ...rest }: ChoicesProps<T>) {
  return (
    <select
      {...rest}
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
  );
}

export function Select<T extends string | number>({
  value,
  options,
  onEdit,
  ...labelled
}: Labelled & Choice<T>) {
  return (
    <Field
      {...labelled}
      control={(attributes) => (
        <span class="select">
          <Choices {...attributes} class="input" value={value} options={options} onEdit={onEdit} />
        </span>
      )}
    />
  );
}

interface CheckProps {
  label: string;
  /** The accessible name, if it says more than there is room for. */
  name?: string;
  checked: boolean;
  onEdit(checked: boolean): void;
}

export function Checkbox({ label, name, checked, onEdit }: CheckProps) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={checked}
        aria-label={name}
        onChange={({ currentTarget }) => {
          const wanted = currentTarget.checked;
          // Reset, in case the edit is not accepted and nothing is rendered again.
          currentTarget.checked = checked;
          onEdit(wanted);
        }}
      />
      <span>{label}</span>
    </label>
  );
}

/** Constant options, for a `Select` that is shown now. */
export const translated = <T,>(options: readonly (readonly [value: T, text: string])[]) =>
  options.map(([value, text]) => [value, t(text)] as const);

export const qosOptions = [
  [0, mark('0 · at most once')],
  [1, mark('1 · at least once')],
  [2, mark('2 · exactly once')],
] as const;

type Named<V, T> = { [K in keyof V]-?: V[K] extends T ? K : never }[keyof V] & string;

/** Fields that edit the values of a form, each by its name. */
export function fieldsOf<V extends object>(
  values: V,
  errors: { readonly [name: string]: string | undefined },
  edit: (changes: Partial<V>) => void,
) {
  const bound = (name: string) => ({
    error: errors[name],
    onEdit: (value: unknown) => edit({ [name]: value } as Partial<V>),
  });
  return {
    text: (
      label: string,
      name: Named<V, string>,
      more?: Pick<TextProps, 'placeholder' | 'type' | 'class' | 'hint'>,
    ) => <TextField label={label} value={values[name] as string} {...bound(name)} {...more} />,
    /** Its options are translated here. */
    choice<N extends Named<V, string | number>>(
      label: string,
      name: N,
      options: readonly (readonly [value: V[N] & (string | number), text: string])[],
      more?: Pick<Labelled, 'class'>,
    ) {
      const value = values[name] as V[N] & (string | number);
      return <Select label={label} value={value} options={translated(options)} {...bound(name)} {...more} />;
    },
    /** `full` is the accessible name, if it says more. */
    flag: (label: string, name: Named<V, boolean>, full?: string) => (
      <Checkbox
        label={label}
        {...(full && { name: full })}
        checked={values[name] as boolean}
        onEdit={bound(name).onEdit}
      />
    ),
  };
}
