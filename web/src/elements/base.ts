/** What all elements have in common: attributes as properties, and parts. */

// A page may be rendered on a server, without a DOM.
export const Base: typeof HTMLElement = globalThis.HTMLElement ?? class {};

/** `number`: undefined if the attribute is missing or not a number. */
export type Properties = Readonly<Record<string, 'text' | 'number' | 'flag'>>;

export interface Definable extends CustomElementConstructor {
  readonly properties: Properties;
}

function attributeOf(property: string): string {
  return property.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Defines the element, unless another copy of this library has. */
export function define(tag: string, type: Definable): void {
  for (const [property, kind] of Object.entries(type.properties)) {
    const attribute = attributeOf(property);
    Object.defineProperty(type.prototype, property, {
      configurable: true,
      enumerable: true,
      get(this: HTMLElement) {
        if (kind === 'flag') return this.hasAttribute(attribute);
        const text = this.getAttribute(attribute);
        if (kind === 'text') return text ?? '';
        // As in HTML, an invalid number counts as missing.
        return text?.trim() && Number.isFinite(Number(text)) ? Number(text) : undefined;
      },
      set(this: HTMLElement, value: unknown) {
        if (kind === 'flag') this.toggleAttribute(attribute, Boolean(value));
        else if (value === undefined || value === null) this.removeAttribute(attribute);
        else this.setAttribute(attribute, String(value));
      },
    });
  }
  const observedAttributes = [...Object.keys(type.properties).map(attributeOf), 'id', 'lang'];
  Object.defineProperty(type, 'observedAttributes', { value: observedAttributes });
  if (!customElements.get(tag)) customElements.define(tag, type);
}

/** Properties that were set before the element was defined hide those of its class. */
export function takeEarly(element: HTMLElement): void {
  for (const [name, value] of Object.entries(element)) {
    if (!(name in Object.getPrototypeOf(element))) continue;
    delete (element as unknown as Record<string, unknown>)[name];
    Reflect.set(element, name, value);
  }
}

/** Runs `task` once after the current task, however often it is requested. */
export function once(task: () => void): () => void {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    queueMicrotask(() => {
      asked = false;
      task();
    });
  };
}

/** An element with attributes and children; text goes into text nodes. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Record<string, string> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Sets only what differs, since assistive technology announces each change. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

export function emit<Name extends keyof HTMLElementEventMap>(
  from: HTMLElement,
  name: Name,
  detail: HTMLElementEventMap[Name] extends CustomEvent<infer Detail> ? Detail : never,
): void {
  from.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
}
